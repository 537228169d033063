import type { Logger } from 'pino'
import { clockRight, clockWrong } from '../tracking/events.ts'
import type { NotificationEvent } from '../model/notification.ts'
import { PeriodicWork } from '../periodic-work.ts'
import type { Store } from '../store/index.ts'
import { CLOCK_TOLERANCE_MS, type ClockStep } from './clock-guard.ts'
import { UNHEARD_MS } from './downtime.ts'

export interface ClockWatchOptions {
  readonly store: Pick<Store, 'notifications' | 'collectorIntervals'>
  readonly clock: () => number
  readonly logger: Pick<Logger, 'error' | 'warn'>
  /** Names this process in what collectors write down. */
  readonly replica: string
  /** Names its machine, for people. */
  readonly machine: string
}

const EVERY_MS = 5_000
/** A clock that is set again and again makes no endless list while the database is away. */
const MOST = 100
/** What others have written is that old when it is read, and the clocks may differ a little. */
const MAX_DIFFERENCE_MS = CLOCK_TOLERANCE_MS + UNHEARD_MS

/** Tells people of a clock that was stepped, and of collectors whose clocks disagree: by the outbox, so that none is lost. */
export class ClockWatch extends PeriodicWork {
  readonly #options: ClockWatchOptions
  #untold: NotificationEvent[] = []
  /** When other collectors were there last, by their own clocks, as it was read the last time. */
  #others: ReadonlyMap<string, number> = new Map()
  #disagrees = false

  constructor(options: ClockWatchOptions) {
    super({ everyMs: EVERY_MS, logger: options.logger, failure: 'it could not be told of the clock' })
    this.#options = options
  }

  /** As the guard of the clock tells it. */
  stepped(step: ClockStep | undefined, at: number): void {
    const { machine } = this.#options
    if (this.#untold.length >= MOST) return
    this.#untold.push(
      step === undefined
        ? clockRight(machine, at)
        : clockWrong(machine, `was stepped by ${toSeconds(step.offsetMs)} s, and is not followed`, at),
    )
  }

  async look(): Promise<void> {
    await this.#compare()
    for (let [event] = this.#untold; event !== undefined; [event] = this.#untold) {
      await this.#options.store.notifications.add(event)
      this.#untold.shift()
    }
  }

  /** Of one that is there now by another clock it can be told; one that has gone says nothing about this clock. */
  async #compare(): Promise<void> {
    const { store, clock, replica, machine, logger } = this.#options
    const others = await store.collectorIntervals.newestByReplica(replica)
    const now = clock()
    const offsets = [...others].flatMap(([name, to]) => {
      const before = this.#others.get(name)
      return before !== undefined && to > before ? [to - now] : []
    })
    this.#others = others
    if (offsets.length === 0) return
    const worst = offsets.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one))
    const disagrees = Math.abs(worst) > MAX_DIFFERENCE_MS
    if (disagrees === this.#disagrees) return
    this.#disagrees = disagrees
    if (disagrees) logger.error({ seconds: toSeconds(worst) }, 'the clock of another collector disagrees with this one')
    const what = `and that of another collector are ${toSeconds(Math.abs(worst))} s apart`
    this.#untold.push(disagrees ? clockWrong(machine, what, now) : clockRight(machine, now))
  }
}

const toSeconds = (ms: number): number => Math.round(ms / 1000)
