import type { FindingCode, Severity } from '../../shared/codes/findings.ts'
import type { Hysteresis, HysteresisState } from '../../shared/hysteresis/hysteresis.ts'

/**
 * `suspected`: measured, and not bad often enough yet to be a finding. `open`: seen in the newest evidence, or gone for
 * too short a time. `recovered`: an integrity finding that later evidence does not show any more, waiting for a person.
 * `resolved`: gone by itself (posture) or accepted by a person.
 */
export type FindingState = 'suspected' | 'open' | 'recovered' | 'resolved'

/** Of what somebody has to know: what is only suspected is nothing yet. */
export const UNRESOLVED = ['open', 'recovered'] as const satisfies readonly FindingState[]

export interface Finding {
  /** `fnd_` + UUIDv7. */
  readonly id: string
  readonly deviceId: number
  readonly code: FindingCode
  /** What it is about, e.g. `tcp/0.0.0.0:4444` or `pcr/sha256/4`. */
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  /** As its product sees it, or else as its code says. */
  readonly severity: Severity
  readonly state: FindingState
  /** When it opened the last time, and the first time. One cause on one device is one finding, however often it comes. */
  readonly openedAt: number
  readonly firstOpenedAt: number
  /** How often it has opened; 0 while it was never more than suspected. */
  readonly openings: number
  readonly lastSeenAt: number
  readonly resolvedAt: number | null
  /** SHA-256 of the evidence that opened it the last time. */
  readonly evidenceHash: Uint8Array
  /** Of what is measured, and waits for N of M; null for everything else. */
  readonly hysteresis: Omit<HysteresisState, 'isEntered'> | null
  /** null where there is none, or where it has ended by what happened since. By time it ends by itself: see `until`. */
  readonly acknowledgement: Acknowledgement | null
}

/** A person knows of it and says why it may wait, for a time. It changes no verdict, and hides nothing. */
export interface Acknowledgement {
  /** Id of the API token. */
  readonly by: string
  readonly at: number
  readonly until: number
  readonly reason: string
}

/**
 * Why a finding moved. `late-evidence`: what it tells of was over already when it arrived. `deadline`: a time has passed
 * by which evidence should have come.
 */
export type TransitionCause = 'evidence' | 'deadline' | 'late-evidence' | 'release' | 'approval' | 'acknowledgement'

/** One step in the life of a finding. */
export interface FindingTransition {
  readonly at: number
  readonly state: FindingState
  readonly cause: TransitionCause
  /** Id of the API token, where a person did it. */
  readonly actor: string | null
  readonly before: string | null
  readonly after: string | null
  readonly evidenceHash: Uint8Array | null
}

/** What a product says about findings of one code in place of what holds for everybody; null where it says nothing. */
export interface FindingPolicy {
  readonly productId: string
  readonly code: FindingCode
  readonly severity: Severity | null
  readonly hysteresis: Hysteresis | null
  readonly setBy: string
  readonly setAt: number
}
