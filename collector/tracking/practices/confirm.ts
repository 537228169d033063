import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { standingNonconformity } from '../../../shared/decisions/nonconformity.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import type { Reason } from '../../../shared/maturity/conformity/status.ts'
import { statusOf, type Waiting } from '../../../shared/maturity/conformity/waiting.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { Confirmation, PracticeState } from '../../model/practice.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { practiceChangeHandlers } from './changes.ts'

/** What the certifier has signed of a practice, as it is kept with what is computed; null: no drift of it is confirmed. */
export function confirmationOf(register: Register, productId: string, practice: PracticeId): Confirmation | null {
  const found = standingNonconformity(register, productId, practice)
  if (found === undefined) return null
  const { by, byName, at, reason } = found
  return { by, byName, at: at * 1000, reason }
}

const TOO_LONG = 'drift-too-long'

interface ConfirmingContext {
  /** ms since 1970. */
  readonly now: number
  readonly random: RandomFunction
  /** Ids of the certificates in force for the product. */
  readonly certificates: readonly string[]
}

/**
 * What follows at once when a certifier has confirmed a nonconformity, or has taken that back, in the transaction that
 * appends his decision. A practice that nobody evaluated, or that no profile asks for, has nothing to change.
 */
export async function enterConfirmation(
  store: Store,
  product: Product,
  practice: PracticeId,
  confirmed: Confirmation | null,
  { now, random, certificates }: ConfirmingContext,
): Promise<void> {
  const before = (await store.practices.states(product.id)).get(practice)
  if (before === undefined) return
  // That the drift has lasted for too long is as its newest evaluation has said.
  const isAgreed = before.explanation.reasons.some(({ code }) => code === TOO_LONG)
  const status = statusOf(before.waiting, confirmed !== null || isAgreed)
  const explanation = { ...before.explanation, reasons: withConfirmation(before.explanation.reasons, confirmed) }
  const since = status === before.status ? before.since : now
  const state: PracticeState = { ...before, confirmed, status, since, explanation }
  await store.practices.saveState(product.id, practice, state)
  if (explanation.target === null || status === before.status) return
  const change = { from: before.status, to: status, at: now, reasons: explanation.reasons }
  await store.practices.addTransition(product.id, practice, change)
  for (const handle of practiceChangeHandlers)
    await handle(store, { product, practice, ...change }, { random, certificates })
}

export function withConfirmation(reasons: readonly Reason[], confirmed: PracticeState['confirmed']): readonly Reason[] {
  const others = reasons.filter(({ code }) => code !== 'confirmed')
  if (confirmed === null) return others
  const { byName, reason } = confirmed
  const restore = 'Mend what it is about, and have the certifier take the confirmation back.'
  return [{ code: 'confirmed', text: `${byName} has confirmed a nonconformity: ${reason}`, restore }, ...others]
}

export function tooLongReason({ driftSince }: Waiting, days = 0): Reason {
  const since = new Date(driftSince ?? 0).toISOString().slice(0, 10)
  const text = `in drift since ${since}, for longer than the ${days} days that the certificate agreement allows`
  return { code: TOO_LONG, text, restore: 'Mend what it is about: it ends with the drift.', since }
}
