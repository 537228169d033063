import { utf8 } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { lateMeasurementsOf } from './quirks.ts'
import { isExtended, PcrRegister, startValues, type StartValue } from './replay.ts'
import type { ReplayedEvent, ReplayedLog, ReplayedPcr, UnverifiedEvent, UnverifiedEventLog } from './types.ts'

/** The PCRs that firmware owns and logs. Extended without an event, they were extended by something that hides. */
const FIRMWARE_PCRS = 8

/** How far the events of one PCR lead to its quoted value. */
interface PcrMatch {
  /** The first `count` events of the PCR reach the value. */
  readonly count: number
  readonly late: readonly string[]
  readonly locality: number
}

/**
 * Proves a log by the PCR values of a quote that was verified before (`quoted`: of one bank, by PCR index).
 *
 * The log is read after the quote, so it may hold more than was quoted. The rule: there is one place in the log such
 * that for every quoted PCR exactly the events before it lead to the quoted value. A log that needs different places
 * for different PCRs is refused, since a quote shows all PCRs at one moment. Fixed texts that are measured after the
 * log's end (./quirks.ts) may follow, but then nothing of the log may be left over.
 *
 * Throws `eventlog.bank-missing` if the log does not carry the bank, and `eventlog.replay-mismatch` if some PCR with
 * events, or some of PCRs 0 to 7 without, does not have the quoted value.
 */
export function verifyEventLog(
  log: UnverifiedEventLog,
  bank: HashAlgorithm,
  quoted: ReadonlyMap<number, Uint8Array>,
  hash: HashFunction,
): ReplayedLog {
  if (!log.algorithms.some((algorithm) => algorithm.bank === bank)) {
    throw new OutcomeError('eventlog.bank-missing', bank)
  }
  const byPcr = extendedByPcr(log)
  const pcrs = new Map<number, ReplayedPcr>()
  /** How many of its first events are proven, by PCR. */
  const counts = new Map<number, number>()
  // The place in the log lies after `from` events and before `to`.
  let from = 0
  let to = log.events.length
  let locality = 0
  for (const [pcr, value] of quoted) {
    if (value.length !== HASH_SIZE[bank]) throw mismatch(pcr, 'the quoted value does not have the size of the bank')
    const events = byPcr.get(pcr) ?? []
    const match = matchPcr(pcr, events, value, bank, startValues(log, bank, pcr, events.length > 0), hash)
    if (match === undefined) {
      if (events.length > 0 || pcr < FIRMWARE_PCRS) throw mismatch(pcr, 'the events do not lead to the quoted value')
      pcrs.set(pcr, { status: 'not-logged' })
      continue
    }
    if (pcr === 0) locality = match.locality
    if (match.late.length > 0) from = log.events.length
    const last = events[match.count - 1]
    if (last !== undefined) from = Math.max(from, last.sequence + 1)
    const next = events[match.count]
    if (next !== undefined) to = Math.min(to, next.sequence)
    counts.set(pcr, match.count)
    const touched = events.length > 0 || match.late.length > 0
    pcrs.set(pcr, touched ? { status: 'replayed', events: match.count, late: match.late } : { status: 'untouched' })
  }
  if (from > to) {
    throw new OutcomeError('eventlog.replay-mismatch', 'the PCRs were quoted at different places of the log')
  }
  const laterEvents = log.events.reduce((sum, event) => sum + (event.sequence >= to && isExtended(event) ? 1 : 0), 0)
  const events = provenEvents(log, bank, counts)
  // The brand exists for the compiler alone. This is the one place that may put it on.
  return { bank, startupLocality: locality, pcrs, events, laterEvents } as unknown as ReplayedLog
}

/** The first `counts` events of each PCR, in log order. */
function provenEvents(
  log: UnverifiedEventLog,
  bank: HashAlgorithm,
  counts: ReadonlyMap<number, number>,
): readonly Omit<ReplayedEvent, symbol>[] {
  const left = new Map(counts)
  const proven: Omit<ReplayedEvent, symbol>[] = []
  for (const event of log.events) {
    const more = left.get(event.pcr) ?? 0
    if (more === 0 || !isExtended(event)) continue
    left.set(event.pcr, more - 1)
    const { sequence, pcr, type, data } = event
    const digest = event.digests.get(bank)
    if (digest !== undefined) proven.push({ sequence, pcr, claimedType: type, digest, data })
  }
  return proven
}

function extendedByPcr(log: UnverifiedEventLog): ReadonlyMap<number, readonly UnverifiedEvent[]> {
  const byPcr = new Map<number, UnverifiedEvent[]>()
  for (const event of log.events) {
    if (!isExtended(event)) continue
    const events = byPcr.get(event.pcr)
    if (events === undefined) byPcr.set(event.pcr, [event])
    else events.push(event)
  }
  return byPcr
}

function matchPcr(
  pcr: number,
  events: readonly UnverifiedEvent[],
  quoted: Uint8Array,
  bank: HashAlgorithm,
  starts: readonly StartValue[],
  hash: HashFunction,
): PcrMatch | undefined {
  for (const { locality, value } of starts) {
    const register = new PcrRegister(bank, value, hash)
    if (register.holds(quoted)) return { count: 0, late: [], locality }
    let count = 0
    for (const event of events) {
      const digest = event.digests.get(bank)
      if (digest === undefined) break
      register.extend(digest)
      count++
      if (register.holds(quoted)) return { count, late: [], locality }
    }
    if (count < events.length) continue
    const late = matchLate(pcr, register.value(), quoted, bank, hash)
    if (late !== undefined) return { count, late, locality }
  }
  return undefined
}

/** The known late measurements that lead from `value` to `quoted`, or undefined if none do. */
function matchLate(
  pcr: number,
  value: Uint8Array,
  quoted: Uint8Array,
  bank: HashAlgorithm,
  hash: HashFunction,
): readonly string[] | undefined {
  for (const { steps } of lateMeasurementsOf(pcr)) {
    const digests = steps.map((words) => words.map((word) => hash(bank, utf8(word))))
    const extended = (current: Uint8Array, step: readonly Uint8Array[]) => {
      const register = new PcrRegister(bank, current, hash)
      for (const digest of step) register.extend(digest)
      return register
    }
    const taken = orderedSubset(value, quoted, digests, 0, extended)
    if (taken !== undefined) return taken.flatMap((index) => steps[index] ?? [])
  }
  return undefined
}

/** Which of `steps`, in their order and from index `start` on, lead from `value` to `quoted`. */
function orderedSubset(
  value: Uint8Array,
  quoted: Uint8Array,
  steps: readonly (readonly Uint8Array[])[],
  start: number,
  extended: (value: Uint8Array, step: readonly Uint8Array[]) => PcrRegister,
): readonly number[] | undefined {
  for (const [index, step] of steps.entries()) {
    if (index < start) continue
    const next = extended(value, step)
    if (next.holds(quoted)) return [index]
    const rest = orderedSubset(next.value(), quoted, steps, index + 1, extended)
    if (rest !== undefined) return [index, ...rest]
  }
  return undefined
}

function mismatch(pcr: number, detail: string): OutcomeError {
  return new OutcomeError('eventlog.replay-mismatch', `PCR ${pcr}: ${detail}`)
}
