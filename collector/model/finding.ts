import type { FindingCode, Severity } from '../../shared/codes/findings.ts'

/**
 * `open`: seen in the newest evidence. `recovered`: an integrity finding that later evidence does not show any more,
 * waiting for a person. `resolved`: gone by itself (posture) or accepted by a person.
 */
export type FindingState = 'open' | 'recovered' | 'resolved'

export interface Finding {
  /** `fnd_` + UUIDv7. */
  readonly id: string
  readonly deviceId: number
  readonly code: FindingCode
  /** What it is about, e.g. `tcp/0.0.0.0:4444` or `pcr/sha256/4`. */
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  readonly severity: Severity
  readonly state: FindingState
  readonly openedAt: number
  readonly lastSeenAt: number
  readonly resolvedAt: number | null
  /** SHA-256 of the evidence that opened it. */
  readonly evidenceHash: Uint8Array
}

export type CaseState = 'triggered' | 'triaged' | 'closed'

/** A reassessment case: one per (product, certificate, cause), whatever the number of devices. */
export interface ReassessmentCase {
  /** `cas_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  readonly certificateId: string
  /** Finding code that caused it, and the trigger that this code belongs to. */
  readonly cause: FindingCode
  readonly trigger: string
  readonly state: CaseState
  readonly openedAt: number
  /** When a person must have triaged it. */
  readonly triageBy: number
}
