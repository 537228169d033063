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

/** Work that is done from time to time, until it is stopped. */
export abstract class PeriodicWork {
  readonly #periodic: PeriodicOptions
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(periodic: PeriodicOptions) {
    this.#periodic = periodic
  }

  /** Does what there is to do now. */
  abstract look(): Promise<unknown>

  /** Long work ends at the next place where nothing is half done. */
  protected get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the work that is under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { everyMs, firstMs = 0, logger, failure } = this.#periodic
    if (firstMs > 0) await this.#pause(firstMs)
    while (!this.isStopped) {
      await this.look().catch((error: unknown) => logger.error({ err: error }, failure))
      await this.#pause(everyMs)
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }
}
