import type { Logger } from 'pino'
import { vendorOf } from '../../../shared/decisions/products.ts'
import type { Decisions } from '../../decisions/decision-book.ts'
import type { Store } from '../../store/index.ts'
import { documentReminders } from './documents.ts'
import type { Reminder } from './reminder.ts'
import { requestReminders } from './requests.ts'
import { reviewIntervals, reviewReminders } from './reviews.ts'
import { PeriodicWork } from '../../periodic-work.ts'

export interface ReminderClerkOptions {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register'>
  /** ms since 1970. */
  readonly clock: () => number
  readonly logger: Pick<Logger, 'error' | 'info'>
  readonly isLeader: () => Promise<boolean>
}

const EVERY_MS = 600_000

/** Tells people of dates that come nearer, each threshold once. One collector does it for all. */
export class ReminderClerk extends PeriodicWork {
  readonly #options: ReminderClerkOptions

  constructor(options: ReminderClerkOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'it could not be looked which dates are near' })
    this.#options = options
  }

  /** Tells of every threshold that was passed and of which nobody has told; of how many. */
  async look(): Promise<number> {
    const { store, clock, isLeader, logger } = this.#options
    if (!(await isLeader())) return 0
    const now = clock()
    const stages = await store.reminders.stages()
    let told = 0
    for (const reminder of await this.#due(now)) {
      if (this.isStopped) break
      if ((stages.get(reminder.date) ?? 0) < reminder.stage && (await this.#tell(reminder, now))) told += 1
    }
    if (told > 0) logger.info({ dates: told }, 'people are reminded of dates')
    return told
  }

  async #due(now: number): Promise<readonly Reminder[]> {
    const { store, decisions } = this.#options
    const register = await decisions.register()
    const at = Math.floor(now / 1000)
    const intervals = await reviewIntervals(register, store)
    return [
      ...documentReminders(register, at),
      ...requestReminders(register, at),
      ...reviewReminders(register, intervals, at),
    ]
  }

  /** Both that it was told and the event, or neither. Of several who try at once one is the teller. */
  #tell({ date, stage, products, ...event }: Reminder, now: number): Promise<boolean> {
    return this.#options.store.transaction(async (store) => {
      if (!(await store.reminders.reach(date, stage, now))) return false
      const productId = await onlyProduct(store, products)
      await store.notifications.add({ ...event, at: now, productId, ueid: null, code: null })
      return true
    })
  }
}

/** An event is about one product, or none: who may see one of several may not see what is about the others. */
async function onlyProduct(store: Store, products: readonly string[]): Promise<string | null> {
  const [product] = products
  if (product === undefined || products.length > 1) return null
  const vendor = vendorOf(product)
  return (await store.products.byVendorModel(vendor, product.slice(vendor.length + 1)))?.id ?? null
}
