import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface PeriodicOptions {
  readonly everyMs: number
  /** Before the first time; 0 if absent. */
  readonly firstMs?: number
  readonly logger: Pick<Logger, 'error'>
  /** What is logged when it fails: it is tried again the next time. */
  readonly failure: string
}

/** For what comes in at the same moment to be done together. */
const SOON_MS = 200

/** Work that is done from time to time, until it is stopped. */
export abstract class PeriodicWork {
  readonly #periodic: PeriodicOptions
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #pausing = new AbortController()
  #isHurried = false

  constructor(periodic: PeriodicOptions) {
    this.#periodic = periodic
  }

  /** Does what there is to do now. */
  abstract look(): Promise<unknown>

  /** Long work ends at the next place where nothing is half done. */
  protected get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  /** The next time comes soon: somebody waits for a moment only. */
  protected hurry(): void {
    if (this.#isHurried) return
    this.#isHurried = true
    this.#pausing.abort()
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the work that is under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#pausing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { everyMs, firstMs = 0, logger, failure } = this.#periodic
    if (firstMs > 0) await this.#pause(firstMs)
    while (!this.isStopped) {
      this.#isHurried = false
      await this.look().catch((error: unknown) => logger.error({ err: error }, failure))
      if (!this.#isHurried) await this.#pause(everyMs)
      if (this.#isHurried) await this.#pause(Math.min(SOON_MS, everyMs))
    }
  }

  /** Ends early when there is a hurry that was not there before. */
  async #pause(ms: number): Promise<void> {
    if (this.isStopped) return
    this.#pausing = new AbortController()
    await sleep(ms, undefined, { signal: this.#pausing.signal }).catch(() => undefined)
  }
}
