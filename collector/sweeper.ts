import type { Logger } from 'pino'
import type { CollectorConfig } from './config/options.ts'
import type { Store } from './store/index.ts'
import type { SweepTimes } from './store/sweep.ts'
import { PeriodicWork } from './periodic-work.ts'

export interface SweeperOptions {
  readonly store: Store
  readonly retention: CollectorConfig['retention']
  readonly clock: () => number
  readonly logger: Logger
  readonly isLeader: () => Promise<boolean>
}

const DAY_MS = 86_400_000
const EVERY_MS = 600_000
/** Rows of a table at once, and how often in a row: what is left waits for the next time. */
const ROWS = 1_000
const ROUNDS = 50
/** Between two rounds: the database has other things to do. */
const PAUSE_MS = 100

/** Removes from time to time what is older than the configuration wants it kept. One collector does it for all. */
export class Sweeper extends PeriodicWork {
  readonly #options: SweeperOptions

  constructor(options: SweeperOptions) {
    super({ everyMs: EVERY_MS, firstMs: EVERY_MS, logger: options.logger, failure: 'old rows could not be removed' })
    this.#options = options
  }

  /** Removes what is old, within a bound. */
  async look(): Promise<void> {
    const { store, retention, clock, isLeader, logger } = this.#options
    const times = sweepTimes(retention, clock())
    if (!(await isLeader())) return
    const made = await this.#partitions(() => store.evidencePartitions.prepare(clock(), times.evidence))
    const total: Record<string, number> = {}
    for (let round = 0; round < ROUNDS && !this.isStopped; round++) {
      if (!(await isLeader())) return
      const removed = await store.sweep(times, ROWS)
      for (const [table, count] of removed) if (count > 0) total[table] = (total[table] ?? 0) + count
      if (![...removed.values()].some((count) => count === ROWS)) break
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    const dropped = await this.#partitions(() => store.evidencePartitions.drop(times.evidence))
    if (made.length + dropped.length > 0) logger.info({ made, dropped }, 'the partitions of evidence have changed')
    if (Object.keys(total).length > 0) logger.info({ removed: total }, 'old rows were removed')
  }

  /** What keeps partitions from changing keeps no row from being removed. */
  async #partitions(change: () => Promise<readonly string[]>): Promise<readonly string[]> {
    return change().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'partitions of evidence could not be changed: tried again later')
      return []
    })
  }
}

function sweepTimes(retention: CollectorConfig['retention'], now: number): SweepTimes {
  const { evidenceDays, historyDays, refusalsDays, findingsDays, pcrValuesDays } = retention
  const before = (days: number): number => now - days * DAY_MS
  return {
    evidence: before(evidenceDays),
    history: before(historyDays),
    refusals: before(refusalsDays),
    findings: before(findingsDays),
    pcrValues: before(pcrValuesDays),
  }
}
