import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { checkFirmwarePcrs } from '../../../shared/eventlog/rules.ts'
import { secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import { agileLog, goodBoot, pcrsOf, startupLocality, type EventSpec } from '../../support/eventlog-builder.ts'

/** What a verdict may rest on: proven digests in their order, and Secure Boot. */
function factsOf(log: Uint8Array, pcrs: ReadonlyMap<number, Uint8Array>) {
  const replayed = verifyEventLog(parseEventLog(log), 'sha256', pcrs, hash)
  return {
    locality: replayed.startupLocality,
    digests: replayed.events.map(({ pcr, digest }) => `${pcr} ${toHex(digest)}`),
    late: [...replayed.pcrs].flatMap(([pcr, state]) => (state.status === 'replayed' ? [[pcr, state.late]] : [])),
    secureBoot: secureBootState(replayed, hash),
    problems: checkFirmwarePcrs(replayed, hash),
  }
}

const events: EventSpec[] = [startupLocality(3), ...goodBoot()]
const pcrs = pcrsOf(events, 'sha256', 3)
const whole = agileLog(events, ['sha256'])
const truth = factsOf(whole, pcrs)

/** True if the damaged log is refused, by an outcome or by problems, or says exactly what the whole one says. */
function harmless(damaged: Uint8Array): boolean {
  let facts
  try {
    facts = factsOf(damaged, pcrs)
  } catch (error) {
    return error instanceof OutcomeError
  }
  if (facts.secureBoot.problems.length > 0) return facts.secureBoot.enabled === 'unknown'
  expect(facts.secureBoot).toEqual(truth.secureBoot)
  if (facts.problems.length > 0) return true
  expect(facts).toEqual(truth)
  return true
}

test('the undamaged log is a good one', () => {
  expect(truth.secureBoot).toMatchObject({ enabled: true, problems: [] })
  expect(truth.problems).toEqual([])
  expect(truth.locality).toBe(3)
})

test('any single flipped bit', () => {
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    // Every bit of what is not the plain content of a certificate or hash would be ideal and takes seconds: two of
    // eight bits of each byte, which move with the byte, meet each field many times.
    if ((bit & 7) !== ((bit >> 3) & 7) && (bit & 7) !== ((bit >> 3) + 4) % 8) continue
    const damaged = Buffer.from(whole)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(harmless(damaged), `bit ${bit}`).toBe(true)
  }
})

test('a cut at any byte', () => {
  const beforeExit = agileLog(events.slice(0, -2), ['sha256']).length
  for (let length = 0; length < beforeExit; length++) {
    expect(() => factsOf(whole.subarray(0, length), pcrs), `length ${length}`).toThrow(OutcomeError)
  }
  // The end of boot services may be missing: the quote proves it then by the words that are known.
  for (let length = beforeExit; length < whole.length; length++) {
    try {
      expect(factsOf(whole.subarray(0, length), pcrs).secureBoot).toEqual(truth.secureBoot)
    } catch (error) {
      expect(error).toBeInstanceOf(OutcomeError)
    }
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
