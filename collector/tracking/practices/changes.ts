import type { PracticeStatus, Reason } from '../../../shared/maturity/conformity/status.ts'
import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import type { Severity } from '../../../shared/codes/finding-entry.ts'
import type { NotificationEvent } from '../../model/notification.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { openDriftCases } from './drift-cases.ts'

/** A practice of a product is of another status now, after hysteresis. Only of practices that its profile asks for. */
export interface PracticeChange {
  readonly product: Product
  readonly practice: PracticeId
  /** null: it was never evaluated before. */
  readonly from: PracticeStatus | null
  readonly to: PracticeStatus
  readonly at: number
  /** Worst first. */
  readonly reasons: readonly Reason[]
}

/**
 * What follows from a change, in the transaction in which it is stored: both are kept, or neither. A change is told
 * once. Cases are opened by one of these (triggers T3 and T14).
 */
export type PracticeChangeHandler = (
  store: Store,
  change: PracticeChange,
  context: PracticeChangeContext,
) => Promise<void>

export interface PracticeChangeContext {
  readonly random: RandomFunction
  /** Ids of the certificates in force for the product: each has its own cases. */
  readonly certificates: readonly string[]
}

const SEVERITIES: Readonly<Record<PracticeStatus, Severity>> = {
  conforming: 'low',
  'at-risk': 'medium',
  unknown: 'medium',
  drift: 'high',
  nonconforming: 'critical',
}

export function practiceChanged({ product, practice, from, to, at, reasons }: PracticeChange): NotificationEvent {
  const why = reasons[0] === undefined ? '' : `: ${reasons[0].text}`
  return {
    kind: 'practice.changed',
    at,
    severity: SEVERITIES[to],
    productId: product.id,
    ueid: null,
    code: null,
    subject: practice,
    text: `${product.vendor} ${product.model}: ${PRACTICES[practice].name} is ${to}${from === null ? '' : `, was ${from}`}${why}`,
  }
}

/** Each is told of every change, in this order. */
export const practiceChangeHandlers: readonly PracticeChangeHandler[] = [
  async (store, change) => {
    // A first look is no news, unless it is bad.
    if (change.from === null && change.to !== 'drift') return
    await store.notifications.add(practiceChanged(change))
  },
  openDriftCases,
]
