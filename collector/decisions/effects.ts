import type { Register } from '../../shared/decisions/register.ts'
import type { Store } from '../store/index.ts'
import type { ProposedDecision } from './live-case-guards.ts'

/**
 * What a decision changes beside the log, in the transaction that appends it. The log stays the one truth: this is kept
 * so that the database can be asked by it. `register`: as it is after the decision.
 */
export async function applyEffects(
  store: Store,
  { kind, subject }: ProposedDecision,
  register: Register,
): Promise<void> {
  if (!kind.startsWith('case.')) return
  const state = register.cases.get(subject)?.state
  if (state !== undefined) await store.cases.setState(subject, state)
}
