import type { Severity } from '../../shared/codes/findings.ts'
import type { CaseState } from '../../shared/decisions/cases/case.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import type { CaseCause } from '../../shared/maturity/causes.ts'
import type { TriggerId } from '../../shared/maturity/triggers.ts'

/** What one case is about: while it is open, the same is no second one. */
export interface CaseKey {
  readonly productId: string
  /** Of the decision log. */
  readonly certificateId: string
  readonly releaseId: string | null
  readonly cause: CaseCause
  /** What of the cause: a practice, a document, a date. Empty where the cause says all. */
  readonly subject: string
}

/** A reassessment case as it was opened. What people have decided about it since is in the decision log alone. */
export interface ReassessmentCase extends CaseKey {
  /** `cas_` + UUIDv7. */
  readonly id: string
  readonly trigger: TriggerId
  /** By its key there is never a second one: what is due once, such as the review of a year. */
  readonly isOnce: boolean
  /** Grows with the number of units, and never falls. */
  readonly severity: Severity
  /** Where the decision log has it: kept beside the facts, so that cases can be listed by it. */
  readonly state: CaseState
  readonly openedAt: number
  /** When the software noticed; not when the vendor was aware of it. */
  readonly detectedAt: number
  /** When a person must have triaged it. */
  readonly triageBy: number
  /** As they were when it was opened. Decisions name their digest. */
  readonly facts: CaseFacts
}

export type CaseFacts = { readonly [key: string]: Json }
