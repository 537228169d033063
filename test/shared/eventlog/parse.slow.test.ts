import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_EVENTS, MAX_LOG_SIZE, NO_PCR } from '../../../shared/eventlog/constants.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import {
  agileEvent,
  agileLog,
  ascii,
  goodBoot,
  noAction,
  separator,
  sha1Event,
  sha1Log,
  specIdData,
  specIdEvent,
  u16,
  u32,
} from '../../support/eventlog-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

const BANKS = ['sha1', 'sha256'] as const
const specIdWith = (...algorithms: (readonly [number, number])[]) =>
  sha1Event({ pcr: 0, type: 'EV_NO_ACTION', data: specIdData(algorithms) })

describe('formats', () => {
  test('a crypto-agile log has the banks of its Spec ID event', () => {
    const log = parseEventLog(agileLog(goodBoot(), ['sha256', 'sha384']))
    expect(log.format).toBe('crypto-agile')
    expect(log.algorithms.map(({ bank }) => bank)).toEqual(['sha256', 'sha384'])
    expect(log.events).toHaveLength(goodBoot().length + 1)
    expect(log.events[1]?.digests.get('sha384')).toHaveLength(48)
  })

  test('a log that begins with anything else is in SHA-1 format', () => {
    const log = parseEventLog(sha1Log(goodBoot()))
    expect(log.format).toBe('sha1')
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.events[2]?.offset).toBe(sha1Log(goodBoot().slice(0, 2)).length)
  })

  test('a first EV_NO_ACTION that is not a Spec ID event does not make a log crypto-agile', () => {
    const locality = noAction(Buffer.concat([ascii('StartupLocality\0'), Buffer.from([3])]))
    expect(parseEventLog(sha1Log([locality])).format).toBe('sha1')
  })

  test('vendor information in the Spec ID event is let by', () => {
    const log = Buffer.concat([specIdEvent(BANKS, 'vendor'), agileEvent(separator(0), BANKS)])
    expect(parseEventLog(log).events).toHaveLength(2)
  })

  test('digests of an algorithm that cannot be computed are skipped by their announced size', () => {
    const event = Buffer.concat([u32(0), u32(4), u32(2), u16(0x12), Buffer.alloc(32, 9)])
    const rest = Buffer.concat([u16(0x0b), Buffer.alloc(32, 7), u32(4), u32(0)])
    const log = parseEventLog(Buffer.concat([specIdWith([0x12, 32], [0x0b, 32]), event, rest]))
    expect([...(log.events[1]?.digests ?? [])]).toEqual([['sha256', new Uint8Array(32).fill(7)]])
  })

  test('an event may lack the digest of an announced bank', () => {
    const log = parseEventLog(Buffer.concat([specIdEvent(BANKS), agileEvent(separator(0), ['sha256'])]))
    expect(log.events[1]?.digests.has('sha1')).toBe(false)
  })

  test('an event outside of all PCRs is kept', () => {
    const log = parseEventLog(agileLog([{ pcr: NO_PCR, type: 'EV_NO_ACTION', data: ascii('trust point') }]))
    expect(log.events[1]?.pcr).toBe(NO_PCR)
  })
})

describe('padding', () => {
  for (const [name, fill] of [
    ['zeros', 0],
    ['ones', 0xff],
  ] as const) {
    test.each([1, 8, 11, 12, 32, 4096])(`%i bytes of ${name} after the last event are no events`, (length) => {
      const log = parseEventLog(Buffer.concat([agileLog(goodBoot()), Buffer.alloc(length, fill)]))
      expect(log.events).toHaveLength(goodBoot().length + 1)
      expect(log.trailingBytes).toBe(length)
    })
  }

  test('vendor bytes behind an empty event header are no events', () => {
    const log = parseEventLog(Buffer.concat([sha1Log(goodBoot()), Buffer.alloc(32), ascii('vendor bytes')]))
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.trailingBytes).toBe(44)
  })

  test('other bytes after the last event are refused', () => {
    expect(outcomeOf(() => parseEventLog(Buffer.concat([agileLog(goodBoot()), ascii('x')])))).toBe('eventlog.malformed')
  })
})

describe('refused with a code', () => {
  test('an empty log', () => {
    expect(outcomeOf(() => parseEventLog(Buffer.alloc(0)))).toBe('eventlog.malformed')
  })

  test('a log of padding alone', () => {
    expect(outcomeOf(() => parseEventLog(Buffer.alloc(65_536)))).toBe('eventlog.malformed')
  })

  test('a log larger than the bound', () => {
    expect(outcomeOf(() => parseEventLog(Buffer.alloc(MAX_LOG_SIZE + 1)))).toBe('eventlog.too-large')
  })

  test('more events than the bound', () => {
    const log = sha1Log(Array.from({ length: MAX_EVENTS + 1 }, () => separator(0)))
    expect(outcomeOf(() => parseEventLog(log))).toBe('eventlog.too-large')
    expect(parseEventLog(log.subarray(0, log.length - 36)).events).toHaveLength(MAX_EVENTS)
  })

  test.each([24, 0x00ffffff, 0x02000000, 0x7fffffff, 0x81000000, 0xfffffffe])('PCR index %i', (pcr) => {
    expect(outcomeOf(() => parseEventLog(agileLog([separator(pcr)])))).toBe('eventlog.malformed')
  })

  const event = agileEvent(separator(0), BANKS)
  const patched = (offset: number, bytes: Buffer) => {
    const copy = Buffer.from(event)
    bytes.copy(copy, offset)
    return Buffer.concat([specIdEvent(BANKS), copy])
  }
  test.each([
    ['a huge number of digests', patched(8, u32(0xffffffff))],
    ['more digests than announced', patched(8, u32(3))],
    ['a digest of an unannounced algorithm', patched(12, u16(0x0c))],
    [
      'two digests of one algorithm',
      Buffer.concat([specIdEvent(BANKS), agileEvent(separator(0), ['sha256', 'sha256'])]),
    ],
    ['an event size beyond the end', patched(event.length - 8, u32(5))],
    ['a huge event size', patched(event.length - 8, u32(0xffffffff))],
    ['a Spec ID event without algorithms', specIdWith()],
    [
      'a Spec ID event with too many algorithms',
      specIdWith(...Array.from({ length: 17 }, (_, id) => [id, 32] as const)),
    ],
    ['a Spec ID event that repeats an algorithm', specIdWith([0x0b, 32], [0x0b, 32])],
    ['a wrong digest size for a known algorithm', specIdWith([0x0b, 20])],
    ['a digest size of zero', specIdWith([0x12, 0])],
    ['a digest size beyond any algorithm', specIdWith([0x12, 65])],
    [
      'a Spec ID event that ends within its algorithms',
      sha1Event({ pcr: 0, type: 'EV_NO_ACTION', data: specIdData([[0x0b, 32]]).subarray(0, 30) }),
    ],
  ])('%s', (_, log) => {
    expect(outcomeOf(() => parseEventLog(log))).toBe('eventlog.malformed')
  })

  test('the message says where', () => {
    const log = agileLog(goodBoot())
    const last = parseEventLog(log).events.at(-1)
    expect(() => parseEventLog(log.subarray(0, log.length - 1))).toThrow(`at byte ${last?.offset}:`)
  })
})

describe.each([
  ['crypto-agile', (events: ReturnType<typeof goodBoot>) => agileLog(events)],
  ['SHA-1', (events: ReturnType<typeof goodBoot>) => sha1Log(events)],
])('a %s log cut at any byte', (_, build) => {
  test('is refused, or ends between two events', () => {
    const whole = build(goodBoot())
    const events = parseEventLog(whole).events
    const starts = new Set([whole.length, ...events.map(({ offset }) => offset)])
    for (let length = 1; length < whole.length; length++) {
      const cut = whole.subarray(0, length)
      const outcome = outcomeOf(() => {
        const log = parseEventLog(cut)
        expect(starts.has(length - log.trailingBytes)).toBe(true)
        expect(log.events).toEqual(events.slice(0, log.events.length))
      })
      expect([undefined, 'eventlog.malformed']).toContain(outcome)
    }
  })
})

test('any bytes give a log or an outcome, never another error', () => {
  const header = specIdEvent(['sha256'])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, agile) => {
      outcomeOf(() => parseEventLog(agile ? Buffer.concat([header, bytes]) : bytes))
    }),
  )
})
