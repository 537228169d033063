import type { Logger } from 'pino'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { signEpoch } from '../../shared/evidence/epoch.ts'
import { epochTopic } from '../../shared/evidence/topics.ts'
import type { Epoch } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'
import type { CollectorKeys } from '../trust/keys.ts'

export interface EpochPublisherOptions {
  readonly store: Store
  readonly keys: CollectorKeys
  readonly clock: () => number
  readonly random: RandomFunction
  readonly periodSeconds: number
  readonly logger: Logger
  /** One of the collectors on a database issues the epochs; the others hand them on. */
  readonly isLeader: () => Promise<boolean>
  readonly publish: (topic: string, bytes: Uint8Array, options: { retain: boolean }) => Promise<void>
}

/** How soon those that wait for the leader's epoch look for it. */
const LOOK_MS = 1_000

/** Sees to an epoch each period, and keeps it retained at the broker. A restart goes on with a current one. */
export class EpochPublisher {
  readonly #options: EpochPublisherOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: EpochPublisherOptions) {
    this.#options = options
  }

  /** Resolves when the broker has a current epoch, or will be given one by the leader. */
  async start(): Promise<void> {
    this.#schedule(await this.#continue())
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #schedule(delay: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#next(), delay)
  }

  async #next(): Promise<void> {
    const { logger, periodSeconds } = this.#options
    try {
      this.#schedule(await this.#continue())
    } catch (error) {
      // Without a new epoch evidence grows late, and is never taken for fresh. Try again soon.
      logger.error({ err: error }, 'no new epoch could be issued')
      this.#schedule(Math.min(periodSeconds * 1000, 10_000))
    }
  }

  /** Publishes the current epoch, a new one where it is time for that. Gives how long there is nothing to do, ms. */
  async #continue(): Promise<number> {
    const { store, clock, random, periodSeconds, isLeader } = this.#options
    const period = periodSeconds * 1000
    const current = await store.epochs.current()
    const age = current === undefined ? Infinity : clock() - current.issuedAt
    // Younger than a period, and not from a future that a corrected clock has left behind.
    if (current !== undefined && age >= 0 && age < period) {
      await this.#publish(current)
      return period - age
    }
    if (!(await isLeader())) return Math.min(period, LOOK_MS)
    await this.#publish(await store.epochs.insert({ nonce: random(32), issuedAt: clock() }))
    return period
  }

  async #publish(epoch: Epoch): Promise<void> {
    const { keys, periodSeconds, publish } = this.#options
    const message = {
      collectorId: keys.collectorId,
      number: epoch.number,
      nonce: epoch.nonce,
      issuedAt: Math.floor(epoch.issuedAt / 1000),
      period: periodSeconds,
    }
    await publish(epochTopic, await signEpoch(message, keys.signer), { retain: true })
  }
}
