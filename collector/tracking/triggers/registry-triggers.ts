import type { Release } from '../../model/release.ts'
import { dateOf, days, daysBetween, type Call } from './rule.ts'

/** T2: a release devices are supposed to run, of which the certifier has said nothing. */
export function releasesNotAssessed(releases: readonly Release[]): readonly Call[] {
  return releases
    .filter(({ state, countersigned }) => state === 'active' && countersigned === null)
    .map(({ id, name, activatedAt }) => ({
      cause: 'release.not-assessed',
      subject: '',
      isOnce: true,
      releaseId: id,
      summary: `release ${name} is in force, and no assessment covers it`,
      details: { release: name, activatedAt: Math.floor((activatedAt ?? 0) / 1000) },
    }))
}

/** A targeted search for vulnerabilities, bound to one version. */
export interface VulnerabilityAnalysis {
  readonly release: string
  /** Seconds since 1970. */
  readonly madeAt: number
}

const ANALYSIS_DAYS = 365
/** How long a release may be in force before its analysis is there. */
const ANALYSIS_GRACE_DAYS = 30

/** T5: the version that is deployed was not searched for vulnerabilities, or too long ago. `now`: seconds. */
export function analysesMissing(
  releases: readonly Release[],
  analyses: readonly VulnerabilityAnalysis[],
  now: number,
): readonly Call[] {
  return releases.flatMap(({ id, name, state, activatedAt }): readonly Call[] => {
    if (state !== 'active' || activatedAt === null) return []
    const newest = analyses.filter(({ release }) => release === id).reduce((at, { madeAt }) => Math.max(at, madeAt), 0)
    const since = Math.floor(activatedAt / 1000)
    const call = { releaseId: id, isOnce: false, details: { release: name, analysedAt: newest === 0 ? null : newest } }
    if (newest === 0 && now >= since + days(ANALYSIS_GRACE_DAYS)) {
      return [{ ...call, cause: 'analysis.missing', subject: '', summary: `nobody has searched ${name}` }]
    }
    if (newest === 0 || now < newest + days(ANALYSIS_DAYS)) return []
    return [{ ...call, cause: 'analysis.old', subject: '', summary: `${name} was searched last on ${dateOf(newest)}` }]
  })
}

/** What has become of the members of a product line. */
export interface LineMembers {
  /** Hardware revisions that report and that the certificate does not list, with the number of units. */
  readonly unlisted: readonly { readonly revision: string; readonly units: number }[]
  /** Releases that units run and that are of no firmware line of the certificate. */
  readonly diverged: readonly { readonly releaseId: string; readonly release: string; readonly units: number }[]
  /** Units of a model that the line of the certificate does not list. */
  readonly unlistedModel: number
}

/** T12: a member has left what the line has in common, or something reports that is no member. */
export function lineDiverged({ unlisted, diverged, unlistedModel }: LineMembers): readonly Call[] {
  const again = { isOnce: false, releaseId: null } as const
  const hardware = unlisted.map(({ revision, units }): Call => ({
    ...again,
    cause: 'line.unlisted',
    subject: revision,
    summary: `${units} units of hardware revision ${revision === '' ? '(none)' : revision}, which is not listed`,
    details: { revision, units },
  }))
  const model: readonly Call[] =
    unlistedModel === 0
      ? []
      : [
          {
            ...again,
            cause: 'line.unlisted',
            subject: 'model',
            summary: `${unlistedModel} units of a model that the product line does not list`,
            details: { units: unlistedModel },
          },
        ]
  const software = diverged.map(({ releaseId, release, units }): Call => ({
    ...again,
    releaseId,
    cause: 'line.diverged',
    subject: 'code base',
    summary: `${units} units run ${release}, which is of no firmware line of the certificate`,
    details: { release, units },
  }))
  return [...hardware, ...model, ...software]
}

/** Deadlines of open cases that the vendor has let pass. */
export interface MissedDeadline {
  readonly caseId: string
  readonly deadline: string
  readonly title: string
  readonly due: number
}

const PATIENCE_DAYS = 14

/** T19: what was agreed was not done, long after it was due. A person decides what follows. `now`: seconds. */
export const obligationsMissed = (missed: readonly MissedDeadline[], now: number): readonly Call[] =>
  missed
    .filter(({ due }) => now >= due + days(PATIENCE_DAYS))
    .map(({ caseId, deadline, title, due }) => ({
      cause: 'obligation.missed',
      subject: `${caseId} ${deadline}`,
      isOnce: true,
      releaseId: null,
      summary: `overdue since ${daysBetween(due, now)} days in ${caseId}: ${title}`,
      details: { case: caseId, deadline, due },
    }))
