import type { Logger } from 'pino'
import { PeriodicWork } from '../periodic-work.ts'
import type { Store } from '../store/index.ts'
import { computeExposures } from './compute.ts'

export interface AdvisoryClerkOptions {
  readonly store: Store
  readonly clock: () => number
  readonly logger: Pick<Logger, 'error'>
  readonly isLeader: () => Promise<boolean>
}

const EVERY_MS = 15_000
const FIRST_MS = 2000
/** A set that is being filled is left alone for so long. */
const UNFINISHED_MS = 6 * 3_600_000
const ROWS = 2000

/**
 * Keeps exposures up to date, adds up counts of devices, and removes sets of advisories that count no more. One collector
 * does it for all.
 */
export class AdvisoryClerk extends PeriodicWork {
  readonly #options: AdvisoryClerkOptions

  constructor(options: AdvisoryClerkOptions) {
    super({ everyMs: EVERY_MS, firstMs: FIRST_MS, logger: options.logger, failure: 'exposures could not be computed' })
    this.#options = options
  }

  async look(): Promise<void> {
    const { store, clock, isLeader } = this.#options
    if (!(await isLeader())) return
    while (!this.isStopped && (await store.deviceCounts.settle())) continue
    await computeExposures(store)
    for (const set of await store.advisorySets.staleSets(clock() - UNFINISHED_MS)) {
      let isGone = false
      while (!isGone && !this.isStopped && (await isLeader())) {
        isGone = await store.transaction((transaction) => transaction.advisorySets.removeSome(set, ROWS))
      }
    }
  }
}
