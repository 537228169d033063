import { expect } from 'vitest'
import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { checkFirmwarePcrs } from '../../shared/eventlog/rules.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import { agileLog, goodBoot, pcrsOf, startupLocality, type EventSpec } from './eventlog-builder.ts'

/** A log with its quote in SHA-256, and the question whether a damaged copy of it could mislead a verdict. */

/** What a verdict may rest on: proven digests in their order by PCR, Secure Boot, and the rules of the firmware PCRs. */
function factsOf(log: Uint8Array, pcrs: ReadonlyMap<number, Uint8Array>) {
  const replayed = verifyEventLog(parseEventLog(log), 'sha256', pcrs, hash)
  const digests = new Map<number, string[]>()
  for (const [pcr, state] of replayed.pcrs) {
    if (state.status !== 'replayed') continue
    const logged = replayed.events.filter((event) => event.pcr === pcr).map(({ digest }) => toHex(digest))
    digests.set(pcr, [...logged, ...state.late.map((word) => toHex(hash('sha256', Buffer.from(word))))])
  }
  return {
    locality: replayed.startupLocality,
    digests,
    secureBoot: secureBootState(replayed, hash),
    problems: checkFirmwarePcrs(replayed, hash),
  }
}

type Facts = ReturnType<typeof factsOf>
const fingerprint = ({ digests, ...facts }: Facts): string => JSON.stringify([facts, [...digests]])

/**
 * True if the damaged log is refused by an outcome or by problems, or says what the whole one says. Only a PCR beyond
 * the firmware's may go without a history, visibly, when the log has lost all of its events.
 */
function isHarmless(damaged: Uint8Array, pcrs: ReadonlyMap<number, Uint8Array>, truth: Facts): boolean {
  let facts
  try {
    facts = factsOf(damaged, pcrs)
  } catch (error) {
    return error instanceof OutcomeError
  }
  if (fingerprint(facts) === fingerprint(truth)) return true
  for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) expect(facts.digests.has(pcr)).toBe(true)
  for (const [pcr, digests] of facts.digests) expect(digests).toEqual(truth.digests.get(pcr))
  if (facts.secureBoot.problems.length > 0) expect(facts.secureBoot.enabled).toBe('unknown')
  // An event lost that is not extended moves the others, so their numbers are left out.
  else expect(withoutSequence(facts.secureBoot)).toEqual(withoutSequence(truth.secureBoot))
  expect(facts.locality).toBe(truth.locality)
  return true
}

const withoutSequence = (state: object): unknown =>
  JSON.parse(JSON.stringify(state, (key, value: unknown) => (key === 'sequence' ? undefined : value)))

export function damageOf(whole: Uint8Array, pcrs: ReadonlyMap<number, Uint8Array>) {
  const truth = factsOf(whole, pcrs)
  return {
    whole,
    truth,
    factsOf: (log: Uint8Array) => factsOf(log, pcrs),
    harmless: (damaged: Uint8Array) => isHarmless(damaged, pcrs, truth),
  }
}

const events: readonly EventSpec[] = [startupLocality(3), ...goodBoot()]
export const damagedLog = { events, ...damageOf(agileLog(events, ['sha256']), pcrsOf(events, 'sha256', 3)) }
