import { IMA_PCR } from '../../eventlog/constants.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { OutcomeError, outcomeOf } from '../../errors.ts'
import { verifyEventLog } from '../../eventlog/match.ts'
import type { EventLogProblem } from '../../eventlog/problem.ts'
import { checkFirmwarePcrs } from '../../eventlog/rules.ts'
import { secureBootState } from '../../eventlog/secure-boot.ts'
import type { BootAuthority, SecureBootState } from '../../eventlog/secure-boot-state.ts'
import type { ReplayedLog, UnverifiedEventLog } from '../../eventlog/types.ts'
import type { PcrValues } from '../../tpm/pcr-selection.ts'
import {
  failed,
  failureOf,
  failureOfCode,
  good,
  notAppraised,
  weak,
  type BootPart,
  type LogFacts,
  type PartFailure,
} from './report.ts'

export interface AppraisedLog {
  readonly parts: readonly BootPart[]
  readonly facts: readonly LogFacts[]
  readonly secureBoot: SecureBootState | null
  /** By quoted bank; those that the log does not lead to are not in it. */
  readonly replayed: readonly ReplayedLog[]
}

/** `log`: as parsed, why it could not be, or null where none was given. `pcrs`: proven by a quote. */
export function appraiseLog(
  log: UnverifiedEventLog | OutcomeError | null,
  pcrs: PcrValues,
  hash: HashFunction,
): AppraisedLog {
  if (log === null || log instanceof OutcomeError) {
    const part =
      log === null
        ? notAppraised('event log', true, 'not given: --eventlog FILE; the PCRs alone do not tell what booted')
        : failed('event log', [failureOf(log)])
    const rest = (['firmware PCRs', 'secure boot'] as const).map((name) =>
      notAppraised(name, true, 'needs the event log'),
    )
    return { parts: [part, ...rest], facts: [], secureBoot: null, replayed: [] }
  }
  const failures: PartFailure[] = []
  const replayed: ReplayedLog[] = []
  for (const [bank, values] of pcrs) {
    // The quote's policy lets through no bank that could not be computed.
    if (bank !== 'sha256' && bank !== 'sha384') continue
    const result = outcomeOf(() => verifyEventLog(log, bank, values, hash))
    if (result instanceof OutcomeError) failures.push(failureOf(result))
    else replayed.push(result)
  }
  const facts = replayed.map(factsOf)
  const states = replayed.map((each) => secureBootState(each, hash))
  return {
    parts: [logPart(failures, facts), firmwarePart(replayed, hash), secureBootPart(states)],
    facts,
    secureBoot: states.find(({ problems }) => problems.length > 0) ?? states[0] ?? null,
    replayed,
  }
}

function factsOf({ bank, events, laterEvents, startupLocality, pcrs }: ReplayedLog): LogFacts {
  const late = [...pcrs].flatMap(([pcr, state]) =>
    state.status === 'replayed' && state.late.length > 0 ? [{ pcr, words: state.late }] : [],
  )
  const notLogged = [...pcrs].flatMap(([pcr, { status }]) => (status === 'not-logged' ? [pcr] : []))
  return { bank, events: events.length, laterEvents, startupLocality, late, notLogged }
}

function logPart(failures: readonly PartFailure[], facts: readonly LogFacts[]): BootPart {
  if (failures.length > 0) return failed('event log', failures)
  const [first] = facts
  if (first === undefined) return notAppraised('event log', true, 'the quote covers no bank of SHA-256 or SHA-384')
  const banks = facts.map(({ bank }) => bank).join(' and ')
  const summary = `${first.events} events lead to the quoted values in ${banks}`
  // The kernel's own list explains PCR 10. Any other that was extended and has no event may have lost them.
  const unexplained = [...new Set(facts.flatMap(({ notLogged }) => notLogged))].filter((pcr) => pcr !== IMA_PCR)
  if (unexplained.length === 0) return good('event log', summary)
  return weak('event log', `${summary}; extended without an event: PCR ${unexplained.join(', ')}`)
}

const failuresOf = (problems: readonly EventLogProblem[]): PartFailure[] =>
  problems.map(({ code, pcr, sequence, detail }) => {
    const place = `PCR ${pcr}${sequence === undefined ? '' : `, event ${sequence}`}`
    return failureOfCode(code, detail === undefined ? place : `${place}: ${detail}`)
  })

function firmwarePart(logs: readonly ReplayedLog[], hash: HashFunction): BootPart {
  if (logs.length === 0) return notAppraised('firmware PCRs', true, 'needs a log that leads to the quoted values')
  const failures = logs.flatMap((log) => failuresOf(checkFirmwarePcrs(log, hash)))
  if (failures.length > 0) return failed('firmware PCRs', failures)
  return good('firmware PCRs', 'known kinds of events alone, and one separator in each')
}

function secureBootPart(states: readonly SecureBootState[]): BootPart {
  const [first] = states
  if (first === undefined) return notAppraised('secure boot', true, 'needs a log that leads to the quoted values')
  const failures = failuresOf(states.flatMap(({ problems }) => problems))
  if (failures.length > 0) return failed('secure boot', failures, 'unknown: ')
  if (states.some(({ enabled }) => enabled !== true)) {
    return weak('secure boot', 'off: the firmware started whatever it found')
  }
  const weaknesses = [...new Set(states.flatMap((state) => state.weaknesses))]
  const authorities = `on, authority ${[...new Set(first.authorities.flatMap(authorityText))].join(', ')}`
  if (weaknesses.length > 0) return weak('secure boot', `${authorities}; weakened by ${weaknesses.join(', ')}`)
  return good('secure boot', authorities)
}

/** Settings of shim, which stand among the authorities, allow nothing. */
function authorityText({ variable, certificate, imageHash }: BootAuthority): string[] {
  if (certificate !== undefined) return [`${certificate.subject ?? certificate.sha256} (${variable})`]
  return imageHash === undefined ? [] : [`image ${imageHash.slice(0, 16)}… (${variable})`]
}

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7]

/** A PCR at its reset value was never extended and says nothing about what booted. */
export function coveragePart(pcrs: PcrValues): BootPart {
  const banks = [...pcrs.values()]
  const silent = FIRMWARE_PCRS.filter(
    (pcr) =>
      !banks.some(
        (bank) => bank.get(pcr)?.some((byte, _, value) => byte !== value[0] || (byte !== 0 && byte !== 0xff)) === true,
      ),
  )
  if (silent.length === 0) return good('boot coverage', 'measured: firmware extended each of PCRs 0 to 7')
  if (silent.length === FIRMWARE_PCRS.length)
    return weak('boot coverage', 'none: no PCR from 0 to 7 is quoted and extended')
  return weak('boot coverage', `partial: not quoted or never extended: PCR ${silent.join(', ')}`)
}
