import type { Case } from './cases/case.ts'
import type { Certificate } from './certificate.ts'
import type { AttestedDocument } from './documents/document.ts'
import type { DocumentRequest } from './documents/request.ts'
import type { Nonconformity } from './nonconformity.ts'
import type { Person } from './person.ts'
import type { ProfileReview } from './profile-review.ts'
import type { ProfileVersions } from './profile.ts'
import type { ClassifiedRelease } from './release-kinds.ts'
import type { RoadmapStep } from './roadmap/item.ts'
import type { Recommendation } from './roadmap/recommendation.ts'
import type { Assessment } from './stages.ts'

/** Everything that a decision log says, up to its head: nothing in it was said elsewhere. */
export interface Register {
  /** Who operates the collector; empty before the log begins. */
  operator: string
  readonly people: Map<string, Person>
  readonly profiles: Map<string, ProfileVersions>
  /** Reviews of each profile, oldest first. */
  readonly profileReviews: Map<string, readonly ProfileReview[]>
  readonly certificates: Map<string, Certificate>
  readonly documents: Map<string, AttestedDocument>
  readonly documentRequests: Map<string, DocumentRequest>
  readonly recommendations: Map<string, Recommendation>
  readonly roadmap: Map<string, RoadmapStep>
  /** In stages, by the draft that they are about. */
  readonly assessments: Map<string, Assessment>
  /** The newest of each practice of a product, by the ids of both. */
  readonly nonconformities: Map<string, Nonconformity>
  /** Reassessments about which somebody has decided something. */
  readonly cases: Map<string, Case>
  /** What vendors and certifiers have said about releases of certified products, by VENDOR/MODEL@RELEASE. */
  readonly releases: Map<string, ClassifiedRelease>
  head: LogHead | null
}

export interface LogHead {
  readonly index: number
  /** SHA-256 of the newest entry. */
  readonly hash: Uint8Array
  /** Seconds since 1970, by the clock of its author. */
  readonly at: number
}

export const emptyRegister = (): Register => ({
  operator: '',
  people: new Map(),
  profiles: new Map(),
  profileReviews: new Map(),
  certificates: new Map(),
  documents: new Map(),
  documentRequests: new Map(),
  recommendations: new Map(),
  roadmap: new Map(),
  assessments: new Map(),
  nonconformities: new Map(),
  cases: new Map(),
  releases: new Map(),
  head: null,
})
