import type { HashFunction } from '../../shared/crypto/crypto.ts'
import { isSectionId } from '../../shared/posture/sections.ts'
import type { Deviation } from '../appraisal/context.ts'
import { isAboutStatus, sectionStatus } from '../appraisal/section-deviations.ts'
import type { CompiledRelease } from './compiled.ts'
import {
  closest,
  describeMixture,
  isWhole,
  MEASURED_BOOT,
  mixedParts,
  releasesOf,
  type Part,
  type Row,
} from './closest.ts'
import { judgeBoot, type MeasuredBoot } from './judge-boot.ts'
import { judgeSection, type ReportedSection } from './judge-section.ts'
import { standingDeviation } from './standing-findings.ts'
import type { RankedRelease, Standing } from './release-set.ts'

/** A release that devices are compared with, and what it counts for. */
export interface Candidate {
  readonly release: RankedRelease
  readonly compiled: CompiledRelease
  readonly standing: Standing
}

/** What a device reports, as far as it is here. */
export interface Measured {
  /** Undefined until it has arrived. */
  readonly posture: ReadonlyMap<string, Uint8Array> | undefined
  readonly section: (id: string, digest: Uint8Array) => ReportedSection | 'missing'
  /** `none`: a device without a TPM. `undecided`: its quote could not be verified for want of the values. */
  readonly boot: MeasuredBoot | 'none' | 'undecided'
}

export interface ReleaseJudgement {
  /** The release that the whole device conforms to, whatever that counts for. */
  readonly conformsTo: Candidate | null
  readonly deviations: readonly Deviation[]
  /** Sections that were compared. */
  readonly decided: readonly string[]
  /** Everything was compared: what is not found is not there. */
  readonly isWhole: boolean
  readonly contentMissing: boolean
  readonly bootUndecided: boolean
  readonly eventsUndecided: boolean
  /** No accepted release says anything of a part of the boot, or none is accepted at all. */
  readonly lacksValues: boolean
}

/**
 * Which release a device runs, and how it departs from what it should run. A device is good when all of it conforms to
 * one accepted release. Where its parts are of several, that is one finding; what conforms to none is told against the
 * closest one. The order of the candidates makes no difference.
 */
export function judgeReleases(
  candidates: readonly Candidate[],
  measured: Measured,
  hash: HashFunction,
): ReleaseJudgement {
  const rows = [...candidates]
    .sort((a, b) => b.release.order - a.release.order)
    .map((candidate): Row => ({ candidate, parts: partsOf(candidate, candidates, measured, hash) }))
  const whole = rows.filter(isWhole)
  const accepted = whole.find(({ candidate }) => candidate.standing === 'accepted')
  const row = accepted ?? whole[0] ?? closest(rows)
  const isUndecided = rows.some(({ parts }) => [...parts.values()].some(({ undecided }) => undecided !== null))
  const conformsTo = whole.length > 0 && row !== undefined && !isUndecidedIn(row) ? row.candidate : null
  const mixed = whole.length > 0 || isUndecided ? null : mixedParts(rows)
  const deviations = [...(row === undefined ? [] : deviationsOf(row, rows))]
  if (mixed !== null) deviations.unshift(describeMixture(mixed))
  else if (row !== undefined && !isUndecidedIn(row)) deviations.unshift(...standingDeviation(row, rows))
  const boot = row?.parts.get(MEASURED_BOOT)
  return {
    conformsTo,
    deviations,
    decided: decidedSections(row),
    isWhole: !isUndecided,
    contentMissing: rows.some(({ parts }) => [...parts.values()].some(({ undecided }) => undecided === 'content')),
    bootUndecided: boot?.undecided === 'boot',
    eventsUndecided: boot?.eventsUndecided ?? false,
    lacksValues: (boot?.lacksValues ?? false) || !rows.some(({ candidate }) => candidate.standing === 'accepted'),
  }
}

const isUndecidedIn = ({ parts }: Row): boolean => [...parts.values()].some(({ undecided }) => undecided !== null)

/** A part that is of some release is told by which release that is, and not piece by piece. */
function deviationsOf(row: Row, rows: readonly Row[]): Deviation[] {
  return [...row.parts].flatMap(([id, part]) => (releasesOf(id, rows).length > 0 ? [] : [...part.deviations]))
}

/** One that could not be looked into shows nothing, and what it showed before is not gone. */
function decidedSections(row: Row | undefined): string[] {
  const unreadable = (part: Part): boolean => part.deviations.some(({ code }) => isAboutStatus(code))
  return [...(row?.parts ?? [])]
    .filter(([id, part]) => id !== MEASURED_BOOT && part.undecided === null && !unreadable(part))
    .map(([id]) => id)
}

function partsOf(
  { compiled }: Candidate,
  candidates: readonly Candidate[],
  measured: Measured,
  hash: HashFunction,
): Map<string, Part> {
  const parts = new Map<string, Part>()
  const expected = candidates.flatMap((each) => [...each.compiled.sections.keys()])
  for (const id of new Set<string>([...expected, ...(measured.posture?.keys() ?? [])])) {
    parts.set(id, sectionPart(id, compiled, measured))
  }
  if (measured.boot !== 'none') parts.set(MEASURED_BOOT, bootPart(compiled, measured.boot, hash))
  return parts
}

const DECIDED = { undecided: null, eventsUndecided: false, lacksValues: false } as const

function sectionPart(id: string, compiled: CompiledRelease, measured: Measured): Part {
  const expected = isSectionId(id) ? compiled.sections.get(id) : undefined
  if (measured.posture === undefined) return { ...DECIDED, deviations: [], undecided: 'content' }
  const digest = measured.posture.get(id)
  if (expected === undefined || !isSectionId(id)) {
    // One that no release knows is not let pass: nobody has looked at it.
    const deviations = digest === undefined ? [] : [sectionStatus(id, 'not part of the release', 'reported')]
    return { ...DECIDED, deviations }
  }
  if (digest === undefined) return { ...DECIDED, deviations: [sectionStatus(id, 'reported', 'not reported')] }
  const reported = measured.section(id, digest)
  if (reported === 'missing') return { ...DECIDED, deviations: [], undecided: 'content' }
  return { ...DECIDED, deviations: judgeSection(id, expected, reported) }
}

function bootPart({ boot }: CompiledRelease, measured: MeasuredBoot | 'undecided', hash: HashFunction): Part {
  if (measured === 'undecided') return { ...DECIDED, deviations: [], undecided: 'boot' }
  // Released without boot values, measured with a quote: nobody has looked at these measurements.
  if (boot === null) return { ...DECIDED, deviations: [], lacksValues: true }
  const { deviations, undecided, eventsUndecided, unapproved } = judgeBoot(boot, measured, hash)
  return { deviations, undecided: undecided ? 'boot' : null, eventsUndecided, lacksValues: unapproved.length > 0 }
}
