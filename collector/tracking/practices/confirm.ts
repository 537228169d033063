import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { statusOf } from '../../../shared/maturity/conformity/waiting.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { Confirmation, PracticeState } from '../../model/practice.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { practiceChangeHandlers } from './changes.ts'
import { withConfirmation } from './evaluate.ts'

interface ConfirmingAct {
  readonly by: { readonly id: string; readonly name: string }
  readonly reason: string
  readonly now: number
  readonly random: RandomFunction
  /** Ids of the certificates in force for the product. */
  readonly certificates: readonly string[]
}

/**
 * The certifier says that a drift is a nonconformity: no computation does. Errors: request.conflict where the practice is
 * not in drift, or it was said already.
 */
export function confirmPractice(
  store: Store,
  product: Product,
  practice: PracticeId,
  act: ConfirmingAct,
): Promise<PracticeState> {
  const { by, reason, now } = act
  return decide(store, product, practice, act, (state) => {
    if (state.confirmed !== null) throw new KeepsealError('request.conflict', 'it is confirmed already')
    if (state.status !== 'drift') throw new KeepsealError('request.conflict', `it is ${state.status}, not in drift`)
    return { by: by.id, byName: by.name, at: now, reason }
  })
}

/** Then it is again what is computed. Error: request.conflict where nothing was confirmed. */
export function withdrawConfirmation(
  store: Store,
  product: Product,
  practice: PracticeId,
  act: ConfirmingAct,
): Promise<PracticeState> {
  return decide(store, product, practice, act, (state) => {
    if (state.confirmed === null) throw new KeepsealError('request.conflict', 'no nonconformity is confirmed')
    return null
  })
}

function decide(
  store: Store,
  product: Product,
  practice: PracticeId,
  { by, reason, now, random, certificates }: ConfirmingAct,
  confirmation: (state: PracticeState) => Confirmation | null,
): Promise<PracticeState> {
  return store.transaction(async (transaction) => {
    const before = (await transaction.practices.states(product.id)).get(practice)
    if (before === undefined || before.explanation.target === null) {
      throw new KeepsealError('request.conflict', 'no profile in force asks for this practice')
    }
    const confirmed = confirmation(before)
    const status = statusOf(before.waiting, confirmed !== null)
    const explanation = { ...before.explanation, reasons: withConfirmation(before.explanation.reasons, confirmed) }
    const state: PracticeState = { ...before, confirmed, status, since: now, explanation }
    await transaction.practices.saveState(product.id, practice, state)
    const change = { from: before.status, to: status, at: now, reasons: explanation.reasons }
    await transaction.practices.addTransition(product.id, practice, change)
    const detail = { practice, nonconforming: confirmed !== null, reason }
    const entry = { at: now, actor: by.id, action: 'practice.confirmation', subject: product.id, detail }
    await transaction.auditLog.append(entry)
    const context = { random, certificates }
    for (const handle of practiceChangeHandlers) await handle(transaction, { product, practice, ...change }, context)
    return state
  })
}
