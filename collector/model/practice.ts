import type { PracticeStatus, Reason } from '../../shared/maturity/conformity/status.ts'
import type { Waiting } from '../../shared/maturity/conformity/waiting.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { Level } from '../../shared/maturity/signals/definition.ts'

/** How many units of a product there are, as the vendor declares, and when one counts no more. */
export interface ProductUnits {
  /** null: those that are enrolled. */
  readonly declared: number | null
  /** One that was not seen for so long is taken out of the denominator, and counted apart. */
  readonly retireAfterDays: number
  readonly setAt: number
  readonly setBy: string
}

/** By the certifier: this drift is a nonconformity. */
export interface Confirmation {
  readonly by: string
  readonly byName: string
  readonly at: number
  readonly reason: string
}

/** What was concluded of one practice of a product by its newest evaluation. */
export interface PracticeState {
  readonly status: PracticeStatus
  readonly since: number
  readonly waiting: Waiting
  readonly confirmed: Confirmation | null
  readonly explanation: {
    /** null: no profile asks for it. */
    readonly target: Level | null
    /** Whether it counts for a certificate, by its priority in the profile. Absent in what was kept of earlier versions. */
    readonly counts?: boolean
    readonly supported: Level | 0
    readonly coverage: { readonly known: number; readonly denominator: number } | null
    readonly reasons: readonly Reason[]
  }
}

export interface PracticeTransition {
  readonly practice: PracticeId
  readonly from: PracticeStatus | null
  readonly to: PracticeStatus
  readonly at: number
  readonly reasons: readonly Reason[]
}

/** The fleet that a product was evaluated by. */
export interface FleetSummary {
  /** What shares of units are of: the declared number, or of those that are enrolled where more are, or none was declared. */
  readonly denominator: number
  readonly basis: 'declared' | 'enrolled'
  readonly declared: number | null
  /** Active, and not retired. */
  readonly enrolled: number
  readonly fresh: number
  readonly stale: number
  readonly silent: number
  readonly neverSeen: number
  /** Not seen for longer than agreed: in no denominator of enrolled units. */
  readonly retired: number
}
