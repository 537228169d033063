import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { TriggerId } from '../../../shared/maturity/triggers.ts'
import type { Release } from '../../model/release.ts'
import type { FleetAnswer } from '../../store/fleet-proof.ts'
import { certificateReviews, supportEnds, type SupportLife } from './calendar-triggers.ts'
import { coverageIsLow } from './evidence-triggers.ts'
import {
  lineDiverged,
  obligationsMissed,
  releasesNotAssessed,
  type LineMembers,
  type MissedDeadline,
} from './registry-triggers.ts'
import type { Call } from './rule.ts'

/** What is known of one product under one certificate when somebody looks. */
export interface ProductFacts {
  /** Seconds since 1970. */
  readonly now: number
  readonly certificate: Certificate
  readonly releases: readonly Release[]
  readonly coverage: FleetAnswer
  readonly unlisted: LineMembers['unlisted']
  readonly support: SupportLife
  readonly missed: readonly MissedDeadline[]
}

/**
 * Triggers that are looked for from time to time. The others come at the moment: findings when evidence is appraised,
 * what people report when they enter it.
 */
const watched: readonly { readonly trigger: TriggerId; readonly calls: (facts: ProductFacts) => readonly Call[] }[] = [
  { trigger: 'T2', calls: ({ releases }) => releasesNotAssessed(releases) },
  { trigger: 'T7', calls: ({ certificate, support, now }) => supportEnds(certificate, support, now) },
  { trigger: 'T12', calls: ({ unlisted }) => lineDiverged({ unlisted, divergences: [] }) },
  { trigger: 'T14', calls: ({ coverage }) => coverageIsLow(coverage) },
  { trigger: 'T16', calls: ({ certificate, now }) => certificateReviews(certificate, now) },
  { trigger: 'T19', calls: ({ missed, now }) => obligationsMissed(missed, now) },
]

export const callsFor = (facts: ProductFacts): readonly Call[] => watched.flatMap(({ calls }) => calls(facts))
