import { describe, expect, test } from 'vitest'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { NO_PCR } from '../../../shared/eventlog/constants.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { replayBank } from '../../../shared/eventlog/replay.ts'
import {
  agileEvent,
  agileLog,
  ascii,
  digestOf,
  extendPcr,
  goodBoot,
  noAction,
  pcrsOf,
  separator,
  sha1Log,
  specIdEvent,
  startupLocality,
  type EventSpec,
} from '../../support/eventlog-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

/** The last two events tell of the end of boot services, which real logs lack: see there. */
const BEFORE_EXIT = goodBoot().length - 2

const verify = (log: Uint8Array, pcrs: ReadonlyMap<number, Uint8Array>, bank: HashAlgorithm = 'sha256') =>
  verifyEventLog(parseEventLog(log), bank, pcrs, hash)

function withWords(pcrs: Map<number, Buffer>, pcr: number, ...words: readonly string[]): Map<number, Buffer> {
  for (const word of words) extendPcr(pcrs, pcr, digestOf('sha256', ascii(word)))
  return pcrs
}

describe('a log that leads to the quoted values', () => {
  test.each(['sha1', 'sha256'] as const)('is proven in the %s bank', (bank) => {
    const log = verify(agileLog(goodBoot()), pcrsOf(goodBoot(), bank), bank)
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.laterEvents).toBe(0)
    expect(log.pcrs.get(7)).toEqual({ status: 'replayed', events: 7, late: [] })
    expect(log.pcrs.get(3)).toEqual({ status: 'replayed', events: 1, late: [] })
    expect(log.pcrs.get(8)).toEqual({ status: 'untouched' })
  })

  test('is proven in the SHA-1 format', () => {
    expect(verify(sha1Log(goodBoot()), pcrsOf(goodBoot(), 'sha1'), 'sha1').events).toHaveLength(goodBoot().length)
  })

  test('keeps log order over all PCRs, and only quoted PCRs', () => {
    const pcrs = pcrsOf(goodBoot())
    const log = verify(agileLog(goodBoot()), new Map([7, 4].map((pcr) => [pcr, pcrs.get(pcr) ?? Buffer.alloc(0)])))
    const sequences = log.events.map(({ sequence }) => sequence)
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
    expect(new Set(log.events.map(({ pcr }) => pcr))).toEqual(new Set([4, 7]))
  })

  test('starts PCRs 17 to 22 at zeros after a dynamic launch', () => {
    const event: EventSpec = { pcr: 17, type: 'EV_EVENT_TAG', data: ascii('dynamic launch') }
    const launched = digestOf('sha256', Buffer.concat([Buffer.alloc(32), digestOf('sha256', event.data)]))
    const log = verify(agileLog([event]), new Map([[17, launched]]))
    expect(log.pcrs.get(17)).toEqual({ status: 'replayed', events: 1, late: [] })
    const other = new Map([[17, digestOf('sha256', launched)]])
    expect(outcomeOf(() => verify(agileLog([event]), other))).toBe('eventlog.replay-mismatch')
  })

  test('does not start PCRs 0 to 16 and 23 at ones', () => {
    for (const pcr of [0, 7, 16, 23]) {
      const event: EventSpec = { pcr, type: 'EV_EVENT_TAG', data: ascii('x') }
      const value = digestOf('sha256', Buffer.concat([Buffer.alloc(32, 0xff), digestOf('sha256', event.data)]))
      expect(outcomeOf(() => verify(agileLog([event]), new Map([[pcr, value]])))).toBe('eventlog.replay-mismatch')
    }
  })

  test('starts PCRs 17 to 22 at ones', () => {
    const event: EventSpec = { pcr: 17, type: 'EV_EVENT_TAG', data: ascii('dynamic launch') }
    const pcrs = new Map<number, Buffer>()
    extendPcr(pcrs, 17, digestOf('sha256', event.data))
    expect(verify(agileLog([event]), pcrs).pcrs.get(17)?.status).toBe('replayed')
    expect(verify(agileLog([]), new Map([[18, Buffer.alloc(32, 0xff)]])).pcrs.get(18)?.status).toBe('untouched')
    expect(verify(agileLog([]), new Map([[18, Buffer.alloc(32)]])).pcrs.get(18)?.status).toBe('not-logged')
  })
})

describe('the start of PCR 0', () => {
  test.each([0, 3, 4])('startup locality %i is where PCR 0 starts', (locality) => {
    const events = [startupLocality(locality), ...goodBoot()]
    const log = verify(agileLog(events), pcrsOf(events, 'sha256', locality))
    expect(log.startupLocality).toBe(locality)
    const claimed = replayBank(parseEventLog(agileLog(events)), 'sha256', hash)
    expect(claimed.get(0)).toEqual(new Uint8Array(pcrsOf(events, 'sha256', locality).get(0) ?? []))
  })

  test('a startup locality that was not logged is found by the quote', () => {
    expect(verify(agileLog(goodBoot()), pcrsOf(goodBoot(), 'sha256', 3)).startupLocality).toBe(3)
  })

  test('a false startup locality changes nothing', () => {
    const log = verify(agileLog([startupLocality(3), ...goodBoot()]), pcrsOf(goodBoot()))
    expect(log.startupLocality).toBe(0)
  })

  test('any startup locality that is logged, also one that no TPM has, changes nothing that the quote proves', () => {
    for (let claimed = 0; claimed < 256; claimed++) {
      const events = [startupLocality(claimed), ...goodBoot()]
      const log = verify(agileLog(events), pcrsOf(events, 'sha256', 3))
      expect(log.startupLocality).toBe(3)
      expect(log.events).toHaveLength(goodBoot().length)
    }
  })

  test('of two startup localities the quote tells which it was', () => {
    const events = [startupLocality(0), startupLocality(3), ...goodBoot(), startupLocality(4)]
    for (const locality of [0, 3, 4]) {
      expect(verify(agileLog(events), pcrsOf(events, 'sha256', locality)).startupLocality).toBe(locality)
    }
  })

  test('a start that no locality gives is refused, whatever the log says', () => {
    for (const locality of [1, 2, 5, 255]) {
      const pcrs = pcrsOf(goodBoot(), 'sha256', locality)
      expect(
        outcomeOf(() => verify(agileLog(goodBoot()), pcrs)),
        String(locality),
      ).toBe('eventlog.replay-mismatch')
    }
  })

  test('a startup locality that is cut before its byte says nothing', () => {
    const cut = noAction(ascii('StartupLocality\0'))
    expect(verify(agileLog([cut, ...goodBoot()]), pcrsOf(goodBoot(), 'sha256', 3)).startupLocality).toBe(3)
    expect(replayBank(parseEventLog(agileLog([cut, ...goodBoot()])), 'sha256', hash).get(0)).toEqual(
      new Uint8Array(pcrsOf(goodBoot()).get(0) ?? []),
    )
  })

  test('a startup locality logged for another PCR is ignored', () => {
    const { data } = startupLocality(3)
    const parsed = parseEventLog(agileLog([noAction(data, 1), ...goodBoot()]))
    expect(replayBank(parsed, 'sha256', hash).get(0)).toEqual(new Uint8Array(pcrsOf(goodBoot()).get(0) ?? []))
  })

  test('a hardware root of trust starts PCR 0 at locality 4', () => {
    const events: EventSpec[] = [{ pcr: 0, type: 'EV_EFI_HCRTM_EVENT', data: ascii('HCRTM'), hashed: ascii('rom') }]
    const parsed = parseEventLog(agileLog(events))
    expect(replayBank(parsed, 'sha256', hash).get(0)).toEqual(new Uint8Array(pcrsOf(events, 'sha256', 4).get(0) ?? []))
  })
})

describe('events that are not extended', () => {
  test('EV_NO_ACTION anywhere, with any digest, changes nothing and proves nothing', () => {
    const note: EventSpec = {
      pcr: 7,
      type: 'EV_NO_ACTION',
      data: ascii('SP800-155 Event\0 manifest'),
      digests: { sha256: Buffer.alloc(32, 5) },
    }
    const events = goodBoot().flatMap((event) => [note, event, note])
    const log = verify(agileLog(events), pcrsOf(goodBoot()))
    expect(log.events).toHaveLength(goodBoot().length)
  })

  test.each([NO_PCR, 0x01c40200])('an event with index %i changes nothing, whatever its type', (pcr) => {
    const events = [...goodBoot(), { ...separator(0), pcr }]
    expect(verify(agileLog(events), pcrsOf(goodBoot())).events).toHaveLength(goodBoot().length)
  })

  test.each([NO_PCR, 0x01c40200])('an event moved to index %i breaks the replay', (pcr) => {
    for (let i = 0; i < BEFORE_EXIT; i++) {
      const events = goodBoot().map((event, index) => (index === i ? { ...event, pcr } : event))
      expect(outcomeOf(() => verify(agileLog(events), pcrsOf(goodBoot())))).toBe('eventlog.replay-mismatch')
    }
  })

  test('an event retagged as EV_NO_ACTION breaks the replay', () => {
    for (let i = 0; i < BEFORE_EXIT; i++) {
      const events = goodBoot().map((event, index) =>
        index === i ? { ...event, type: 'EV_NO_ACTION' as const } : event,
      )
      expect(outcomeOf(() => verify(agileLog(events), pcrsOf(goodBoot())))).toBe('eventlog.replay-mismatch')
    }
  })
})

describe('a log that is longer than the quote', () => {
  const later: EventSpec = { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: ascii('later') }

  test('is proven up to the quote', () => {
    const log = verify(agileLog([...goodBoot(), later, { ...later, pcr: 9 }]), pcrsOf(goodBoot()))
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.laterEvents).toBe(2)
  })

  test('every prefix of a log is proven by the values of its moment', () => {
    for (let length = 0; length <= goodBoot().length; length++) {
      const log = verify(agileLog(goodBoot()), pcrsOf(goodBoot().slice(0, length)))
      expect(log.events).toHaveLength(length)
    }
  })

  test('different PCRs quoted at different places of the log are refused', () => {
    const pcrs = pcrsOf(goodBoot())
    pcrs.set(5, Buffer.alloc(32))
    expect(outcomeOf(() => verify(agileLog(goodBoot()), pcrs))).toBe('eventlog.replay-mismatch')
  })

  test('a forged event whose digest is of another bank only proves nothing in the quoted one', () => {
    const forged = agileEvent({ ...separator(7), type: 'EV_EFI_VARIABLE_AUTHORITY' }, ['sha1'])
    const log = verify(Buffer.concat([agileLog(goodBoot()), forged]), pcrsOf(goodBoot()))
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.laterEvents).toBe(1)
  })

  test('an event without any digest breaks the replay of its PCR', () => {
    const [first, ...rest] = goodBoot()
    const forged = agileEvent({ pcr: 0, type: 'EV_S_CRTM_VERSION', data: ascii('forged') }, [])
    const log = Buffer.concat([
      specIdEvent(['sha256']),
      ...(first === undefined ? [] : [agileEvent(first, ['sha256'])]),
      forged,
      ...rest.map((event) => agileEvent(event, ['sha256'])),
    ])
    expect(outcomeOf(() => verify(log, pcrsOf(goodBoot())))).toBe('eventlog.replay-mismatch')
  })

  test('a forged event with a fitting type behind the quoted ones is not among the proven', () => {
    const forged = { ...separator(7), type: 'EV_EFI_VARIABLE_AUTHORITY' as const }
    const log = verify(agileLog([...goodBoot(), forged]), pcrsOf(goodBoot()))
    expect(log.events.some(({ sequence }) => sequence === goodBoot().length + 1)).toBe(false)
  })
})

describe('a log that does not lead to the quoted values is refused:', () => {
  const refused = (events: readonly EventSpec[]) =>
    expect(outcomeOf(() => verify(agileLog(events), pcrsOf(goodBoot())))).toBe('eventlog.replay-mismatch')

  test('any event missing', () => {
    for (let i = 0; i < BEFORE_EXIT; i++) refused(goodBoot().filter((_, index) => index !== i))
  })
  test('any digest changed', () => {
    for (let i = 0; i < goodBoot().length; i++) {
      refused(goodBoot().map((event, index) => (index === i ? { ...event, hashed: ascii('other') } : event)))
    }
  })
  test('an event inserted before the end', () => refused([separator(7), ...goodBoot()]))
  test('two events of one PCR swapped', () => {
    const events = goodBoot()
    refused([events[1], events[0], ...events.slice(2)].flatMap((event) => (event === undefined ? [] : [event])))
  })

  test('a firmware PCR without events that something has extended', () => {
    const pcrs = pcrsOf(goodBoot())
    extendPcr(pcrs, 6, Buffer.alloc(32))
    const events = goodBoot().filter(({ pcr }) => pcr !== 6)
    expect(outcomeOf(() => verify(agileLog(events), pcrs))).toBe('eventlog.replay-mismatch')
  })

  test('a quoted value of another size than the bank', () => {
    expect(outcomeOf(() => verify(agileLog(goodBoot()), pcrsOf(goodBoot(), 'sha1')))).toBe('eventlog.replay-mismatch')
  })

  test('a bank that the log does not carry', () => {
    const attempt = () => verify(sha1Log(goodBoot()), pcrsOf(goodBoot()), 'sha256')
    expect(outcomeOf(attempt)).toBe('eventlog.bank-missing')
  })

  test('an event without a digest in the quoted bank', () => {
    const log = Buffer.concat([
      specIdEvent(['sha1', 'sha256']),
      ...goodBoot().map((event, index) => agileEvent(event, index === 3 ? ['sha1'] : ['sha1', 'sha256'])),
    ])
    expect(outcomeOf(() => verify(log, pcrsOf(goodBoot())))).toBe('eventlog.replay-mismatch')
    expect(verify(log, pcrsOf(goodBoot(), 'sha1'), 'sha1').events).toHaveLength(goodBoot().length)
  })
})

describe('measurements after the end of the log', () => {
  test('a PCR that only userspace extends is proven as a value, not as a history', () => {
    const pcrs = withWords(pcrsOf(goodBoot()), 10, 'an integrity measurement')
    expect(verify(agileLog(goodBoot()), pcrs).pcrs.get(10)).toEqual({ status: 'not-logged' })
  })

  test.each([
    ['the initrd', ['enter-initrd']],
    ['a system that is up', ['enter-initrd', 'leave-initrd', 'sysinit', 'ready']],
    ['a system whose initrd does not measure', ['sysinit', 'ready']],
    ['a system going down', ['sysinit', 'ready', 'shutdown', 'final']],
    ['a soft reboot', ['sysinit', 'ready', 'shutdown', 'final', 'sysinit', 'ready']],
  ])('boot phases of systemd in PCR 11: %s', (_, words) => {
    const log = verify(agileLog(goodBoot()), withWords(pcrsOf(goodBoot()), 11, ...words))
    expect(log.pcrs.get(11)).toEqual({ status: 'replayed', events: 2, late: words })
  })

  test.each([
    ['in another order', ['leave-initrd', 'enter-initrd']],
    ['that begin again without an end', ['sysinit', 'ready', 'sysinit']],
    ['twice', ['sysinit', 'sysinit', 'sysinit']],
    ['that systemd does not have', ['sysinit', 'intruder']],
  ])('boot phases %s are refused', (_, words) => {
    const pcrs = withWords(pcrsOf(goodBoot()), 11, ...words)
    expect(outcomeOf(() => verify(agileLog(goodBoot()), pcrs))).toBe('eventlog.replay-mismatch')
  })

  test('boot phases in another PCR are refused', () => {
    const pcrs = withWords(pcrsOf(goodBoot()), 4, 'sysinit')
    expect(outcomeOf(() => verify(agileLog(goodBoot()), pcrs))).toBe('eventlog.replay-mismatch')
  })

  test("the separator of systemd between firmware's and system's measurements", () => {
    const pcrs = pcrsOf(goodBoot())
    for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14]) withWords(pcrs, pcr, 'os-separator')
    const log = verify(agileLog(goodBoot()), pcrs)
    expect(log.events).toHaveLength(goodBoot().length)
    expect(log.pcrs.get(7)).toEqual({ status: 'replayed', events: 7, late: ['os-separator'] })
    expect(log.pcrs.get(13)).toEqual({ status: 'replayed', events: 0, late: ['os-separator'] })
  })

  test('nothing of the log may be left over when something follows its end', () => {
    const events = goodBoot()
    const pcrs = withWords(pcrsOf(events.slice(0, -1)), 11, 'sysinit')
    expect(outcomeOf(() => verify(agileLog(events), pcrs))).toBe('eventlog.replay-mismatch')
  })

  test.each([
    ['success', ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success']],
    ['failure', ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Failure']],
    [
      'a second attempt',
      [
        'Exit Boot Services Invocation',
        'Exit Boot Services Returned with Failure',
        'Exit Boot Services Invocation',
        'Exit Boot Services Returned with Success',
      ],
    ],
  ])('the end of boot services that the log lacks: %s', (_, words) => {
    const events = goodBoot().slice(0, -2)
    const log = verify(agileLog(events), withWords(pcrsOf(events), 5, ...words))
    expect(log.pcrs.get(5)).toMatchObject({ status: 'replayed', late: words })
  })
})
