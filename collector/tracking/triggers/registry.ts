import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { CaseCause } from '../../../shared/maturity/causes.ts'
import type { ConditionState } from '../../../shared/maturity/conformity/conditions.ts'
import type { TriggerId } from '../../../shared/maturity/triggers.ts'
import type { Release } from '../../model/release.ts'
import type { CatalogueVersions } from '../../store/catalogue-versions.ts'
import type { FleetAnswer } from '../../store/fleet-proof.ts'
import {
  catalogueChanged,
  certificateReviews,
  documentsExpired,
  signersRevoked,
  supportEnds,
  updateKeysExpire,
  type DatedDocument,
  type SupportLife,
  type UpdateKey,
} from './calendar-triggers.ts'
import {
  assumptionsBreak,
  compensationsFail,
  coverageIsLow,
  incidentsRecorded,
  revokedKeysUsed,
  vulnerabilitiesKnown,
  type MatchedAdvisory,
  type RecordedIncident,
} from './evidence-triggers.ts'
import {
  analysesMissing,
  lineDiverged,
  obligationsMissed,
  releasesNotAssessed,
  type LineMembers,
  type MissedDeadline,
  type VulnerabilityAnalysis,
} from './registry-triggers.ts'
import type { Call } from './rule.ts'

/** What is known of one product under one certificate when somebody looks. */
export interface ProductFacts {
  /** Seconds since 1970. */
  readonly now: number
  readonly certificate: Certificate
  readonly releases: readonly Release[]
  readonly analyses: readonly VulnerabilityAnalysis[]
  readonly incidents: readonly RecordedIncident[]
  readonly coverage: FleetAnswer
  readonly members: LineMembers
  readonly support: SupportLife
  readonly vulnerabilities: readonly MatchedAdvisory[]
  readonly missed: readonly MissedDeadline[]
  /** Documents and reviews that the certificate rests on and that nothing has renewed. */
  readonly documents: readonly DatedDocument[]
  readonly revokedSigners: readonly Pick<DatedDocument, 'id' | 'title'>[]
  /** Of the profile that the certificate names; null: nothing was evaluated lately. */
  readonly conditions: readonly ConditionState[] | null
  /** By which updates are trusted; null: no unit tells. */
  readonly updateKeys: readonly UpdateKey[] | null
  /** Units that were revoked and have reported since. */
  readonly revokedUnits: readonly string[]
  readonly catalogue: { readonly assessedBy: CatalogueVersions; readonly current: CatalogueVersions }
}

interface Watched {
  readonly trigger: TriggerId
  readonly calls: (facts: ProductFacts) => readonly Call[]
  /** Whether it cannot be said now that this cause has gone: then what called for a case still stands. */
  readonly isUnknown?: (facts: ProductFacts, of: { readonly cause: CaseCause; readonly subject: string }) => boolean
}

const isUnknownCondition =
  (cause: CaseCause): NonNullable<Watched['isUnknown']> =>
  ({ conditions }, of) =>
    of.cause === cause &&
    (conditions === null || conditions.some(({ id, state }) => id === of.subject && state === 'unknown'))

/**
 * Triggers that are looked for from time to time. The others come at the moment: findings when evidence is appraised,
 * a practice when it is evaluated, what people report when they enter it.
 */
const watched: readonly Watched[] = [
  { trigger: 'T2', calls: ({ releases }) => releasesNotAssessed(releases) },
  { trigger: 'T4', calls: ({ vulnerabilities }) => vulnerabilitiesKnown(vulnerabilities) },
  { trigger: 'T5', calls: ({ releases, analyses, now }) => analysesMissing(releases, analyses, now) },
  {
    trigger: 'T6',
    calls: ({ updateKeys, now }) => updateKeysExpire(updateKeys ?? [], now),
    isUnknown: ({ updateKeys }, { cause }) => updateKeys === null && cause === 'update-key.expires-soon',
  },
  { trigger: 'T7', calls: ({ certificate, support, now }) => supportEnds(certificate, support, now) },
  { trigger: 'T8', calls: ({ documents, now }) => documentsExpired(documents, now) },
  { trigger: 'T8', calls: ({ revokedSigners }) => signersRevoked(revokedSigners) },
  { trigger: 'T9', calls: ({ incidents }) => incidentsRecorded(incidents) },
  {
    trigger: 'T10',
    calls: ({ conditions }) => compensationsFail(conditions ?? []),
    isUnknown: isUnknownCondition('compensation.failing'),
  },
  {
    trigger: 'T11',
    calls: ({ conditions }) => assumptionsBreak(conditions ?? []),
    isUnknown: isUnknownCondition('assumption.broken'),
  },
  { trigger: 'T12', calls: ({ members }) => lineDiverged(members) },
  { trigger: 'T14', calls: ({ coverage }) => coverageIsLow(coverage) },
  { trigger: 'T15', calls: ({ revokedUnits }) => revokedKeysUsed(revokedUnits) },
  { trigger: 'T16', calls: ({ certificate, now }) => certificateReviews(certificate, now) },
  { trigger: 'T17', calls: ({ catalogue }) => catalogueChanged(catalogue.assessedBy, catalogue.current) },
  { trigger: 'T19', calls: ({ missed, now }) => obligationsMissed(missed, now) },
]

export const callsFor = (facts: ProductFacts): readonly Call[] => watched.flatMap(({ calls }) => calls(facts))

/** Whether it cannot be said now that a cause that stood until now has gone. */
export const isUnknown = (facts: ProductFacts, of: { readonly cause: CaseCause; readonly subject: string }): boolean =>
  watched.some((each) => each.isUnknown?.(facts, of) === true)
