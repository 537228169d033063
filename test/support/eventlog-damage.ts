import { expect } from 'vitest'
import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { checkFirmwarePcrs } from '../../shared/eventlog/rules.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import { agileLog, goodBoot, pcrsOf, startupLocality, type EventSpec } from './eventlog-builder.ts'

/** A good log with its quote, and the question whether a damaged copy of it could mislead a verdict. */

const events: readonly EventSpec[] = [startupLocality(3), ...goodBoot()]
const pcrs = pcrsOf(events, 'sha256', 3)
const whole = agileLog(events, ['sha256'])

/** What a verdict may rest on: proven digests in their order by PCR, Secure Boot, and the rules of the firmware PCRs. */
function factsOf(log: Uint8Array) {
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

const truth = factsOf(whole)
const fingerprint = ({ digests, ...facts }: typeof truth): string => JSON.stringify([facts, [...digests]])
const TRUTH = fingerprint(truth)

/**
 * True if the damaged log is refused by an outcome or by problems, or says what the whole one says. Only a PCR beyond
 * the firmware's may go without a history, visibly, when the log has lost all of its events.
 */
function harmless(damaged: Uint8Array): boolean {
  let facts
  try {
    facts = factsOf(damaged)
  } catch (error) {
    return error instanceof OutcomeError
  }
  if (fingerprint(facts) === TRUTH) return true
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

export const damagedLog = { events, whole, truth, factsOf, harmless }
