import type { FindingCode } from '../../shared/codes/findings.ts'
import type { NotificationEvent } from '../model/notification.ts'
import type { Store } from '../store/index.ts'
import { manyPassed } from '../tracking/events.ts'

interface Many {
  readonly event: NotificationEvent
  readonly code: FindingCode
  readonly productId: string
  readonly count: number
}

/** Counts findings that were opened, by product and code, in place of an event for each of them. */
export class Gathered {
  readonly #transaction: Store
  readonly #many = new Map<string, Many>()
  /** The same store, but that it counts. */
  readonly store: Store

  constructor(transaction: Store) {
    this.#transaction = transaction
    const add = async (event: NotificationEvent): Promise<number> => {
      const { kind, code, productId } = event
      if (kind !== 'finding.opened' || code === null || productId === null) return transaction.notifications.add(event)
      const key = `${productId} ${code} ${event.severity}`
      const count = (this.#many.get(key)?.count ?? 0) + 1
      this.#many.set(key, { event, code: code as FindingCode, productId, count })
      return 0
    }
    this.store = { ...transaction, notifications: { ...transaction.notifications, add } }
  }

  /** Within the transaction, so that the number is that of the findings which are stored. */
  async write(): Promise<void> {
    for (const { event, code, productId, count } of this.#many.values()) {
      const product = await this.#transaction.products.byId(productId)
      const words = manyPassed(code, product?.vendor ?? '', product?.model ?? '')
      await this.#transaction.notifications.gather({ ...event, kind: 'finding.gathered' }, count, words)
    }
  }
}
