import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import type { Handled } from './evidence-handler.ts'
import type { ReceivedMessage } from './evidence-handler.ts'
import { Inbox } from './inbox.ts'
import { processBatch, type IngestDependencies } from './process-batch.ts'
import type { DownPublication } from './receipts.ts'

export interface IngestOptions {
  readonly store: Store
  readonly deps: IngestDependencies
  readonly clock: () => number
  readonly logger: Logger
  readonly publish: (publication: DownPublication) => Promise<void>
  /** Told of everything that was decided, after it was stored. */
  readonly onHandled: (handled: Handled) => void
  /** Told of a batch that could not be stored: a fault of ours, which no device is blamed for. */
  readonly onFailure: (error: unknown) => void
}

const CAPACITY = 5_000
const BATCH = 200
const RETRY_MS = [100, 1_000, 5_000, 15_000]

/** Takes messages in, decides them in batches, and answers after the commit. */
export class Ingest {
  readonly #options: IngestOptions
  readonly #inbox = new Inbox(CAPACITY)
  #running: Promise<void> | undefined
  #stopping = false

  constructor(options: IngestOptions) {
    this.#options = options
  }

  /** Messages that were taken in and are not decided yet. */
  get backlog(): number {
    return this.#inbox.size
  }

  /** Resolves when the message is in the queue. */
  accept(topic: string, bytes: Uint8Array): Promise<void> {
    return this.#inbox.put({ topic, bytes, receivedAt: this.#options.clock() })
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Decides what was taken in, then ends. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#inbox.close()
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      const batch = await this.#inbox.take(BATCH)
      if (batch.length === 0) return
      if (!(await this.#decide(batch))) for (const message of batch) await this.#decideAlone(message)
    }
  }

  async #decide(messages: readonly ReceivedMessage[]): Promise<boolean> {
    const { store, deps, clock, logger, publish, onHandled, onFailure } = this.#options
    try {
      const { handled, publications } = await processBatch(store, messages, deps, clock())
      for (const entry of handled) onHandled(entry)
      for (const publication of publications) {
        // A lost answer is not a lost decision: the device sends again and is answered again.
        await publish(publication).catch((error: unknown) => logger.warn({ err: error }, 'an answer was not sent'))
      }
      return true
    } catch (error) {
      onFailure(error)
      logger.error({ err: error, messages: messages.length }, 'a batch was not stored; it is tried again one by one')
      return false
    }
  }

  /**
   * One message that is our fault must not hold up the rest. While the database is away all of them are, so there is
   * a pause between tries; what is given up in the end has no receipt, and its device sends it again.
   */
  async #decideAlone(message: ReceivedMessage): Promise<void> {
    for (const pause of RETRY_MS) {
      if (await this.#decide([message])) return
      if (this.#stopping) return
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
