import { equal, toHex } from '../../shared/bytes/bytes.ts'
import type { FindingCode } from '../../shared/codes/findings.ts'
import type { HashFunction } from '../../shared/crypto/crypto.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { causesOf, type BootCause } from '../../shared/eventlog/reference/causes.ts'
import { compareBoot, type BootComparison } from '../../shared/eventlog/reference/compare.ts'
import type { BootPart, BootReference } from '../../shared/eventlog/reference/types.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import type { PcrBank } from '../../shared/tpm/constants.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { Deviation } from './context.ts'

const CODES: Readonly<Record<BootPart, FindingCode>> = {
  firmware: 'boot.firmware-changed',
  'option-rom': 'boot.firmware-changed',
  configuration: 'boot.configuration-changed',
  'secure-boot': 'boot.secure-boot-changed',
  'boot-loader': 'boot.loader-changed',
  kernel: 'boot.kernel-changed',
  'initial-ram-disk': 'boot.initrd-changed',
  'command-line': 'boot.command-line-changed',
  other: 'boot.event-changed',
}

/** Which finding a difference of an event is. */
export const eventFinding = (part: BootPart): FindingCode => CODES[part]

/** Findings that events of the log tell, and values alone do not. */
export const EVENT_FINDINGS: ReadonlySet<FindingCode> = new Set(Object.values(CODES))

/** More causes than this are another machine rather than a changed one: the rest is counted. */
const MAX_CAUSES = 16

export interface ApprovedBoot {
  readonly pcrs: PcrValues
  readonly bootReference: BootReference | null
}

export interface BootDeviations {
  readonly deviations: readonly Deviation[]
  /** PCRs differ that the log, once it arrives, may explain. */
  readonly undecided: boolean
  /** PCRs differ that reference events speak of, and there is no log to hold against them. */
  readonly eventsUndecided: boolean
  /** Quoted PCRs that nobody has approved a value of. */
  readonly unapproved: readonly number[]
}

/**
 * How quoted values depart from approved ones. Where a proven log and reference events explain a value, the events
 * that changed are told, and none if the rules allow the change; where they do not, the value itself.
 * `awaited`: whether the log was named and has not arrived; then what it could explain is left open.
 */
export function bootDeviations(
  approved: ApprovedBoot,
  reported: PcrValues,
  log: ReplayedLog | undefined,
  awaited: (pcr: number) => boolean,
  hash: HashFunction,
): BootDeviations {
  const deviations: Deviation[] = []
  const unapproved: number[] = []
  let undecided = false
  let eventsUndecided = false
  for (const [bank, before] of approved.pcrs) {
    const after = reported.get(bank)
    if (after === undefined) {
      const banks = [...reported.keys()].join(', ')
      deviations.push({ code: 'boot.bank-changed', subject: 'quoted bank', before: bank, after: banks })
      continue
    }
    unapproved.push(...[...after.keys()].filter((pcr) => !before.has(pcr)))
    const differing = new Set([...before].filter(([pcr, value]) => differs(pcr, value, after)).map(([pcr]) => pcr))
    if (differing.size === 0) continue
    const { bootReference } = approved
    const comparable = bootReference !== null && bootReference.bank === bank
    const open = comparable && log === undefined ? [...differing].filter((pcr) => awaited(pcr)) : []
    for (const pcr of open) differing.delete(pcr)
    undecided ||= open.length > 0
    eventsUndecided ||= comparable && log === undefined
    const { explained, differences } =
      comparable && log !== undefined
        ? comparison(bootReference, log, differing, hash)
        : { explained: new Set<number>(), differences: [] }
    deviations.push(...causeDeviations(causesOf(differences)))
    for (const pcr of differing) {
      if (!explained.has(pcr)) deviations.push(valueDeviation(bank, pcr, before.get(pcr), after.get(pcr)))
    }
  }
  return { deviations, undecided, eventsUndecided, unapproved }
}

/** PCR 10 grows with each file that the kernel measures, unless nothing was measured when it was approved. */
function differs(pcr: number, before: Uint8Array, after: ReadonlyMap<number, Uint8Array>): boolean {
  if (pcr === IMA_PCR && before.some((byte) => byte !== 0)) return false
  const now = after.get(pcr)
  return now === undefined || !equal(before, now)
}

const compared = new WeakMap<ReplayedLog, WeakMap<BootReference, Map<string, BootComparison>>>()

/** What differs between one log and one reference is asked for with each evidence of a boot, and stays the same. */
function comparison(
  reference: BootReference,
  log: ReplayedLog,
  wanted: ReadonlySet<number>,
  hash: HashFunction,
): BootComparison {
  const ofLog = compared.get(log) ?? new WeakMap<BootReference, Map<string, BootComparison>>()
  compared.set(log, ofLog)
  const known = ofLog.get(reference) ?? new Map<string, BootComparison>()
  ofLog.set(reference, known)
  const name = [...wanted].join()
  const found = known.get(name) ?? compareBoot(reference, log, wanted, hash)
  if (known.size < MAX_REMEMBERED) known.set(name, found)
  return found
}

/** Sets of PCRs that differ: more than these are somebody's play. */
const MAX_REMEMBERED = 8

/** What a person has to see first, should there be too much to tell. */
const RANKED: readonly BootPart[] = [
  'kernel',
  'initial-ram-disk',
  'command-line',
  'boot-loader',
  'secure-boot',
  'firmware',
  'option-rom',
  'other',
  'configuration',
]

function causeDeviations(causes: readonly BootCause[]): Deviation[] {
  const ranked = [...causes].sort((a, b) => RANKED.indexOf(a.part) - RANKED.indexOf(b.part))
  const told = ranked.slice(0, MAX_CAUSES).map(({ part, subject, before, after }): Deviation => {
    return { code: CODES[part], subject, before, after }
  })
  // No code is lost: what is beyond the bound is counted by its code.
  const counts = new Map<FindingCode, number>()
  for (const { part } of ranked.slice(MAX_CAUSES)) counts.set(CODES[part], (counts.get(CODES[part]) ?? 0) + 1)
  const counted = [...counts].map(([code, count]): Deviation => {
    return { code, subject: 'further measurements', before: null, after: `${count} more` }
  })
  return [...told, ...counted]
}

function valueDeviation(
  bank: PcrBank,
  pcr: number,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): Deviation {
  const text = (value: Uint8Array | undefined): string => (value === undefined ? 'not quoted' : toHex(value))
  return { code: 'boot.pcr-changed', subject: `pcr/${bank}/${pcr}`, before: text(before), after: text(after) }
}
