import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import type { CaseDependencies } from '../tracking/cases/open.ts'
import { deadlinesAt, type LivenessPolicy } from '../tracking/liveness.ts'
import type { Downtime } from './downtime.ts'
import { tellOf } from './tell.ts'
import { PeriodicWork } from '../periodic-work.ts'

export interface WatchOptions {
  readonly store: Store
  readonly policy: LivenessPolicy
  readonly clock: () => number
  readonly deps: CaseDependencies
  readonly logger: Logger
  readonly downtime: () => Downtime
  readonly isLeader: () => Promise<boolean>
}

/** Keys that are looked through at once: some ten milliseconds, in which others wait. */
const PART = 20_000
/** Devices that are told of in one transaction. */
const BATCH = 100
const PAUSE_MS = 5
/** People are told of many devices at once so often, at most. */
const RELEASE_MS = 60_000
const LONGEST_MS = 60_000
/** Rows of the collectors' own attendance that are forgotten at once. */
const ROWS = 1_000

/** Looks from time to time which devices have passed a deadline. One collector does it for all. */
export class LivenessWatch extends PeriodicWork {
  readonly #options: WatchOptions

  constructor(options: WatchOptions) {
    const { intervalMs, staleIntervals } = options.policy
    // A deadline is told of at most a tenth of it later.
    const everyMs = Math.min(LONGEST_MS, Math.max(1_000, (intervalMs * staleIntervals) / 10))
    super({ everyMs, logger: options.logger, failure: 'it could not be looked which devices are silent' })
    this.#options = options
  }

  /** Tells of every deadline that has passed; how many. What is stored is all it goes by. */
  async look(): Promise<number> {
    const { store, policy, clock, deps, downtime, isLeader, logger } = this.#options
    if (!(await isLeader())) return 0
    // What a leader has gathered that ended in between is not left behind.
    await store.notifications.release()
    let releasedAt = performance.now()
    const last = await store.due.lastDevice()
    let told = 0
    for (let after = 0; after < last && !this.isStopped;) {
      const now = clock()
      const deadlines = deadlinesAt({ policy, now, downtime: downtime() })
      const due = await store.due.between(after, after + PART, deadlines, BATCH)
      const areMany = due.length >= BATCH
      const telling = due.length === 0 ? 0 : await tellOf(store, due, { deadlines, now, deps, areMany })
      told += telling
      // Where there may be more it is looked again, unless what is due now is told of already.
      if (due.length < BATCH || telling === 0) after += PART
      if (performance.now() - releasedAt > RELEASE_MS) {
        await store.notifications.release()
        releasedAt = performance.now()
      }
      await sleep(PAUSE_MS)
      if (after < last && !(await isLeader())) break
    }
    await store.notifications.release()
    if (told > 0) logger.info({ devices: told }, 'devices were told of that have missed a deadline')
    await store.collectorIntervals.forgetBefore(clock() - 2 * horizonOf(policy), ROWS)
    return told
  }
}

const WEEK_MS = 604_800_000

/** How far back the collectors' own downtime matters. */
export const horizonOf = ({ silentAfterMs }: LivenessPolicy): number => Math.max(WEEK_MS, 2 * silentAfterMs)
