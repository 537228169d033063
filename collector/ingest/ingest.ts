import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import type { Handled, ReceivedMessage } from './evidence-handler.ts'
import { parseUpstreamTopic } from '../../shared/evidence/topics.ts'
import { Inbox } from './inbox.ts'
import type { RateLimiter } from './rate-limiter.ts'
import { processBatch, type BatchResult, type IngestDependencies } from './process-batch.ts'
import type { DownPublication } from './receipts.ts'

export interface IngestOptions {
  readonly store: Store
  readonly deps: IngestDependencies
  readonly clock: () => number
  readonly logger: Logger
  readonly publish: (publication: DownPublication) => Promise<void>
  /**
   * Holds a device back that sends more than its share. `delay`: its own connection waits. `drop`: for a broker that
   * delivers the messages of all devices on one connection, where one would hold back all.
   */
  readonly rate?: { readonly limiter: RateLimiter; readonly excess: 'delay' | 'drop' }
  /** Told of everything that was decided, after it was stored. */
  readonly onHandled: (handled: Handled) => void
  /** Told of a batch that could not be stored: a fault of ours, which no device is blamed for. */
  readonly onFailure: (error: unknown) => void
  /** While nothing can be stored: the pause between tries, and after what time messages are set aside. */
  readonly retry?: { readonly pauseMs: number; readonly giveUpMs: number }
}

const MAX_DELAY_MS = 5_000
const CAPACITY = 5_000
const BATCH = 200
const RETRY = { pauseMs: 1_000, giveUpMs: 60_000 }
/** Without any success, messages are tried one by one no longer than this: a locked database makes each of them wait. */
const PROBE_MS = 2_000
/** Answers that the broker has not taken yet. One more is dropped: the device sends again and is answered again. */
const MAX_ANSWERS_UNDER_WAY = 2_000

/** Takes messages in, decides them in batches, and answers after the commit. */
export class Ingest {
  readonly #options: IngestOptions
  readonly #inbox = new Inbox(CAPACITY)
  readonly #answers = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: IngestOptions) {
    this.#options = options
  }

  /** Messages that were taken in and are not decided yet. */
  get backlog(): number {
    return this.#inbox.size
  }

  /** Resolves when the message is in the queue. */
  async accept(topic: string, bytes: Uint8Array): Promise<void> {
    const { clock, rate } = this.#options
    const device = parseUpstreamTopic(topic)?.ueid
    if (rate !== undefined && device !== undefined) {
      let wait = rate.limiter.take(device, 1, performance.now())
      while (wait > 0 && !this.#stop.signal.aborted) {
        // Without a receipt its outbox keeps what is dropped here, and sends it again.
        if (rate.excess === 'drop') return
        await this.#pause(Math.min(wait, MAX_DELAY_MS))
        wait = rate.limiter.take(device, 1, performance.now())
      }
    }
    return this.#inbox.put({ topic, bytes, receivedAt: clock() })
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Decides what was taken in, then ends. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#inbox.close()
    await this.#running
    await Promise.all(this.#answers)
  }

  async #run(): Promise<void> {
    const { pauseMs, giveUpMs } = this.#options.retry ?? RETRY
    let undecided: readonly ReceivedMessage[] = []
    let failingSince = 0
    for (;;) {
      const isNew = undecided.length === 0
      const batch = isNew ? await this.#inbox.take(BATCH) : this.#inbox.takeNow(BATCH - undecided.length)
      const messages = [...undecided, ...batch]
      if (messages.length === 0) return
      if (isNew) failingSince = performance.now()
      const failed = (await this.#decide(messages)) ? [] : await this.#decideEach(messages)
      // Where others can be stored, the fault lies in the message and not in the database.
      const isOutage = failed.length === messages.length
      const isOver = this.#stop.signal.aborted || performance.now() - failingSince > giveUpMs
      undecided = isOutage && !isOver ? failed : []
      if (undecided.length > 0) await this.#pause(pauseMs)
      else this.#giveUp(failed)
    }
  }

  /** Decides messages one by one, and gives those that could not be. */
  async #decideEach(messages: readonly ReceivedMessage[]): Promise<readonly ReceivedMessage[]> {
    if (messages.length === 1) return messages
    const failed: ReceivedMessage[] = []
    const start = performance.now()
    for (const [index, message] of messages.entries()) {
      const isHopeless = index > 0 && failed.length === index && performance.now() - start > PROBE_MS
      if (isHopeless) return messages
      if (!(await this.#decide([message]))) failed.push(message)
    }
    return failed
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  async #decide(messages: readonly ReceivedMessage[]): Promise<boolean> {
    const { store, deps, clock, logger, onHandled, onFailure } = this.#options
    let result: BatchResult
    try {
      result = await processBatch(store, messages, deps, clock())
    } catch (error) {
      onFailure(error)
      logger.error({ err: error, messages: messages.length }, 'a batch was not stored')
      return false
    }
    for (const entry of result.handled) onHandled(entry)
    for (const publication of result.publications) this.#answer(publication)
    return true
  }

  /**
   * Not waited for: what a broker acknowledges can come behind messages that wait for a place in the queue. A lost
   * answer is not a lost decision, the device sends again and is answered again.
   */
  #answer(publication: DownPublication): void {
    const { publish, logger } = this.#options
    if (this.#answers.size >= MAX_ANSWERS_UNDER_WAY) {
      logger.warn({ topic: publication.topic }, 'an answer was dropped: the broker does not take them')
      return
    }
    const answer = publish(publication)
      .catch((error: unknown) => logger.warn({ err: error }, 'an answer was not sent'))
      .finally(() => this.#answers.delete(answer))
    this.#answers.add(answer)
  }

  /** There is no receipt, so that their devices send them again. */
  #giveUp(messages: readonly ReceivedMessage[]): void {
    for (const { topic } of messages) {
      this.#options.logger.error({ topic: topic.slice(0, 256) }, 'a message could not be decided and was set aside')
    }
  }
}
