import type { GuardCode } from '../../shared/codes/guards.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Store } from '../store/index.ts'

/** A decision that the log itself would take: before it is appended, or before anybody has signed it. */
export interface ProposedDecision {
  readonly kind: string
  readonly subject: string
  /** As its kind's schema has read it. */
  readonly detail: unknown
}

export interface LiveContext extends ProposedDecision {
  readonly store: Store
  /** As it is before the decision. */
  readonly register: Register
}

/**
 * What only the collector can tell: whether what a decision says of the database is so. Whoever checks an exported log
 * later relies for this on the collector that took the entry.
 */
export interface LiveGuard {
  readonly code: GuardCode
  readonly wants: string
  readonly kinds: readonly string[]
  /** What is wrong, or undefined where it holds. */
  readonly breach: (context: LiveContext) => Promise<string | undefined>
}
