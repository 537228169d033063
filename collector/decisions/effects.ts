import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { certificatesCovering } from '../../shared/decisions/covering.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { Store } from '../store/index.ts'
import { confirmationOf, enterConfirmation } from '../tracking/practices/confirm.ts'
import type { ProposedDecision } from './live-guard.ts'

interface EffectContext {
  /** As it is after the decision. */
  readonly register: Register
  /** Seconds since 1970, by the clock of the collector. */
  readonly now: number
  readonly random: RandomFunction
}

/**
 * What a decision changes beside the log, in the transaction that appends it. The log stays the one truth: this is kept
 * so that the database can be asked by it.
 */
export async function applyEffects(store: Store, decision: ProposedDecision, context: EffectContext): Promise<void> {
  const { kind, subject } = decision
  if (kind.startsWith('nonconformity.')) return applyNonconformity(store, decision, context)
  if (!kind.startsWith('case.')) return
  const state = context.register.cases.get(subject)?.state
  if (state !== undefined) await store.cases.setState(subject, state)
}

async function applyNonconformity(
  store: Store,
  { subject, detail }: ProposedDecision,
  { register, now, random }: EffectContext,
): Promise<void> {
  const product = await store.products.byId(subject)
  if (product === undefined) return
  const { practice } = detail as { practice: PracticeId }
  const certificates = certificatesCovering(register, product, now).map(({ id }) => id)
  const context = { now: now * 1000, random, certificates }
  await enterConfirmation(store, product, practice, confirmationOf(register, subject, practice), context)
}
