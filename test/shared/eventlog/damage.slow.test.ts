import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { OutcomeError } from '../../../shared/errors.ts'
import { agileLog } from '../../support/eventlog-builder.ts'
import { damagedLog } from '../../support/eventlog-damage.ts'

const { events, whole, truth, factsOf, harmless } = damagedLog

test('the undamaged log is a good one', () => {
  expect(truth.secureBoot).toMatchObject({ enabled: true, problems: [] })
  expect(truth.problems).toEqual([])
  expect(truth.locality).toBe(3)
})

test('a flipped bit in any byte', () => {
  for (let offset = 0; offset < whole.length; offset++) {
    const damaged = Buffer.from(whole)
    // Another bit from byte to byte: all bits of all bytes are flipped in test/integration/eventlog.
    damaged[offset] = (damaged[offset] ?? 0) ^ (1 << (offset % 8))
    expect(harmless(damaged), `byte ${offset}`).toBe(true)
  }
}, 30_000)

test('a cut at any byte', () => {
  for (let length = 0; length < whole.length; length++) {
    expect(harmless(whole.subarray(0, length)), `length ${length}`).toBe(true)
  }
})

test('a cut within the events of PCR 7 is refused', () => {
  const last = agileLog(events.slice(0, events.findLastIndex(({ pcr }) => pcr === 7) + 1), ['sha256']).length
  for (let length = 0; length < last; length++) {
    expect(() => factsOf(whole.subarray(0, length)), `length ${length}`).toThrow(OutcomeError)
  }
})

describe('several changes at once', () => {
  const position = fc.nat(whole.length - 1)

  test('bytes overwritten', () => {
    const changes = fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(changes, (list) => {
        const damaged = Buffer.from(whole)
        for (const [offset, value] of list) damaged[offset] = value
        return harmless(damaged)
      }),
      { numRuns: 200 },
    )
  })

  test('a part removed, repeated or put elsewhere', () => {
    fc.assert(
      fc.property(position, position, position, fc.boolean(), (a, b, target, keep) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        const part = whole.subarray(start, end)
        const rest = keep ? whole : Buffer.concat([whole.subarray(0, start), whole.subarray(end)])
        const at = Math.min(target, rest.length)
        return harmless(Buffer.concat([rest.subarray(0, at), part, rest.subarray(at)]))
      }),
      { numRuns: 200 },
    )
  })

  test('events retagged, reordered and repeated under the same quote', () => {
    const forged = fc.array(
      fc.tuple(fc.nat(events.length - 1), fc.option(fc.constantFrom(...events.map(({ type }) => type)))),
      {
        minLength: 1,
        maxLength: events.length + 4,
      },
    )
    fc.assert(
      fc.property(forged, (list) => {
        const log = list.flatMap(([index, type]) => {
          const event = events[index]
          return event === undefined ? [] : [{ ...event, type: type ?? event.type }]
        })
        return harmless(agileLog(log, ['sha256']))
      }),
      { numRuns: 200 },
    )
  })

  test('types exchanged in an otherwise true log', () => {
    const types = fc.array(fc.option(fc.constantFrom(...events.map(({ type }) => type)), { freq: 4 }), {
      minLength: events.length,
      maxLength: events.length,
    })
    fc.assert(
      fc.property(types, (list) =>
        harmless(
          agileLog(
            events.map((event, i) => ({ ...event, hashed: event.hashed ?? event.data, type: list[i] ?? event.type })),
            ['sha256'],
          ),
        ),
      ),
      { numRuns: 300 },
    )
  })
})
