import type { HashFunction } from '../crypto/crypto.ts'
import { proofOf } from './digests.ts'
import type { EventLogProblem } from './problem.ts'
import type { ReplayedEvent, ReplayedLog } from './types.ts'

/**
 * Checks that one log, replayed in several banks of one quote, tells the same story in each. A bank that is active and
 * that firmware leaves alone stays at its reset values, from which anybody can extend it to the values of another boot:
 * its digests then fit data that the bank of the firmware contradicts. An empty list for one bank alone says nothing.
 */
export function bankProblems(logs: readonly ReplayedLog[], hash: HashFunction): readonly EventLogProblem[] {
  const [first, ...others] = logs
  if (first === undefined) return []
  const problems: EventLogProblem[] = []
  for (const other of others) {
    const there = new Map(other.events.map((event) => [event.sequence, event]))
    for (const event of first.events) {
      const twin = there.get(event.sequence)
      there.delete(event.sequence)
      const problem = twin === undefined ? missing(event, other) : contradiction(event, first, twin, other, hash)
      if (problem !== undefined) problems.push(problem)
    }
    for (const event of there.values()) {
      const problem = missing(event, first)
      if (problem !== undefined) problems.push(problem)
    }
  }
  return problems
}

/** An event of a PCR that both banks quoted, and that only one of them proves. */
const missing = ({ pcr, sequence }: ReplayedEvent, from: ReplayedLog): EventLogProblem | undefined =>
  from.pcrs.has(pcr)
    ? { code: 'eventlog.replay-mismatch', pcr, sequence, detail: `not in the ${from.bank} bank` }
    : undefined

function contradiction(
  event: ReplayedEvent,
  log: ReplayedLog,
  twin: ReplayedEvent,
  other: ReplayedLog,
  hash: HashFunction,
): EventLogProblem | undefined {
  const here = proofOf(event, log.bank, hash)
  const there = proofOf(twin, other.bank, hash)
  // Of one type, what is not proven is called alike.
  if (here.coverage === there.coverage) return undefined
  const detail = `${here.proof} in the ${log.bank} bank, ${there.proof} in the ${other.bank} bank`
  return { code: 'eventlog.digest-mismatch', pcr: event.pcr, sequence: event.sequence, detail }
}
