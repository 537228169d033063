import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import type { Handled } from './evidence-handler.ts'
import { parseUpstreamTopic } from '../../shared/evidence/topics.ts'
import { begun, failedAlone, failedOnce, isAtFault, isHopeless, setAside, type Undecided } from './undecided.ts'
import type { VerifyAhead } from './verify/ahead.ts'
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
  /** Checks signatures of the next messages while others are decided. */
  readonly verifyAhead?: VerifyAhead
  /** Told of messages that were put into quarantine. */
  readonly onSetAside?: (count: number) => void
  /** Told of a message that had to wait, or was dropped, since its device sends too many. */
  readonly onExcess?: (how: 'delay' | 'drop') => void
  /** While nothing can be decided: the pause between tries, and after what time the quarantine is tried. */
  readonly retry?: { readonly pauseMs: number; readonly giveUpMs: number }
}

const MAX_DELAY_MS = 5_000
const CAPACITY = 5_000
const BATCH = 200
/** Looked at ahead and not decided yet. */
const READY = 2 * BATCH
const RETRY = { pauseMs: 1_000, giveUpMs: 60_000 }
/** Without any success, messages are tried one by one no longer than this: a locked database makes each of them wait. */
const PROBE_MS = 2_000
/** Answers that the broker has not taken yet. One more is dropped: the device sends again and is answered again. */
const MAX_ANSWERS_UNDER_WAY = 2_000

/** Takes messages in, decides them in batches, and answers after the commit. */
export class Ingest {
  readonly #options: IngestOptions
  readonly #inbox = new Inbox(CAPACITY)
  /** What can be decided: the inbox itself, where nothing is looked at ahead. */
  readonly #ready: Inbox
  readonly #answers = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  /** Messages that are being looked at ahead. */
  #looking = 0
  /** When messages of this turn have arrived. */
  #arrival: number | undefined

  constructor(options: IngestOptions) {
    this.#options = options
    // Each message that has to wait listens to it.
    setMaxListeners(0, this.#stop.signal)
    this.#ready = options.verifyAhead === undefined ? this.#inbox : new Inbox(READY)
  }

  /** Messages that were taken in and are not decided yet. */
  get backlog(): number {
    return this.#ready === this.#inbox ? this.#inbox.size : this.#inbox.size + this.#looking + this.#ready.size
  }

  /** The queue is full, or nearly: whoever sends more has to wait. */
  get isHeldBack(): boolean {
    return this.#inbox.size > (CAPACITY * 4) / 5
  }

  /** Resolves when the message is in the queue. */
  async accept(topic: string, bytes: Uint8Array): Promise<void> {
    const { rate } = this.#options
    const device = parseUpstreamTopic(topic)?.ueid
    if (rate !== undefined && device !== undefined) {
      let wait = rate.limiter.take(device, 1, performance.now())
      if (wait > 0) this.#options.onExcess?.(rate.excess)
      while (wait > 0 && !this.#stop.signal.aborted) {
        // Without a receipt its outbox keeps what is dropped here, and sends it again.
        if (rate.excess === 'drop') return
        await this.#pause(Math.min(wait, MAX_DELAY_MS))
        wait = rate.limiter.take(device, 1, performance.now())
      }
    }
    return this.#inbox.put({ topic, bytes, receivedAt: this.#now() })
  }

  /** The same for all that one turn of the event loop brings: the collector's clock asks the kernel for two others. */
  #now(): number {
    if (this.#arrival === undefined) {
      this.#arrival = this.#options.clock()
      setImmediate(() => (this.#arrival = undefined))
    }
    return this.#arrival
  }

  start(): void {
    const { verifyAhead } = this.#options
    const looking = verifyAhead === undefined ? undefined : this.#lookAhead(verifyAhead)
    this.#running = this.#run().then(() => looking)
  }

  /** Decides what was taken in, then ends. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#inbox.close()
    await this.#running
    await Promise.all(this.#answers)
  }

  async #lookAhead(verifyAhead: VerifyAhead): Promise<void> {
    for (;;) {
      const batch = await this.#inbox.take(BATCH)
      if (batch.length === 0) return this.#ready.close()
      this.#looking = batch.length
      for (const message of await verifyAhead(batch)) {
        // Only refused where nothing is decided any more: devices send again.
        await this.#ready.put(message).catch(() => undefined)
        this.#looking--
      }
    }
  }

  async #run(): Promise<void> {
    const { pauseMs, giveUpMs } = this.#options.retry ?? RETRY
    let undecided: readonly Undecided[] = []
    let failingSince = 0
    for (;;) {
      const isNew = undecided.length === 0
      const batch = isNew ? await this.#ready.take(BATCH) : this.#ready.takeNow(BATCH - undecided.length)
      const messages = [...undecided, ...batch.map(begun)]
      if (messages.length === 0) return
      if (isNew) failingSince = performance.now()
      const left = await this.#decide(messages)
      // Where others can be stored, the fault lies in the message and not in the database.
      const isOutage = left.length === messages.length
      const isOver = left.every(isHopeless) || performance.now() - failingSince > giveUpMs
      const failed = isOutage && !(isOver && (await this.#isStoreThere())) ? left : left.map(failedAlone)
      if (isOutage && this.#stop.signal.aborted) return this.#leave(failed)
      // What can be put into quarantine was not held up by the database. What cannot stays here: nothing is forgotten.
      const hopeless = isOutage && !isOver ? [] : failed.filter(isAtFault)
      const isAside = await this.#setAside(hopeless)
      undecided = isAside ? failed.filter((each) => !hopeless.includes(each)) : failed
      if (undecided.length > 0) await this.#pause(pauseMs)
    }
  }

  /** A database that has just come back is no fault of what was waiting for it: that gets its tries first. */
  async #isStoreThere(): Promise<boolean> {
    try {
      await this.#options.store.quarantine.list({ limit: 1 })
      return true
    } catch {
      return false
    }
  }

  /** Decides messages, all at once or else one by one, and gives those that could not be. */
  async #decide(messages: readonly Undecided[]): Promise<readonly Undecided[]> {
    const error = await this.#tried(messages)
    if (error === undefined) return []
    const all = messages.map((message) => failedOnce(message, error))
    if (all.length === 1) return all
    const failed: Undecided[] = []
    const start = performance.now()
    for (const [index, message] of all.entries()) {
      const isVain = index > 0 && failed.length === index && performance.now() - start > PROBE_MS
      if (isVain) return [...failed, ...all.slice(index)]
      const own = await this.#tried([message])
      if (own !== undefined) failed.push(failedOnce(message, own))
    }
    return failed
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  /** Undefined when all of them were decided; else nothing of it was, and why. */
  async #tried(undecided: readonly Undecided[]): Promise<unknown> {
    const { store, deps, clock, logger, onHandled, onFailure } = this.#options
    const messages = undecided.map(({ message }) => message)
    let result: BatchResult
    try {
      result = await processBatch(store, messages, deps, clock())
    } catch (error) {
      onFailure(error)
      logger.error({ err: error, messages: messages.length }, 'a batch was not stored')
      return error ?? new Error('thrown without an error')
    }
    for (const entry of result.handled) onHandled(entry)
    for (const publication of result.publications) this.#answer(publication)
    return undefined
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

  /** False where the database does not take them either. */
  async #setAside(failed: readonly Undecided[]): Promise<boolean> {
    if (failed.length === 0) return true
    const { store, clock, logger, onSetAside } = this.#options
    try {
      const added = await setAside(store, failed, clock())
      onSetAside?.(failed.length)
      logger.error({ messages: failed.length, added }, 'messages could not be decided and are in quarantine')
      return true
    } catch (error) {
      logger.error({ err: error, messages: failed.length }, 'messages could neither be decided nor set aside')
      return false
    }
  }

  /** There is no receipt, so that their devices send them again. */
  #leave(undecided: readonly Undecided[]): void {
    this.#ready.close()
    const messages = undecided.length + this.#ready.takeNow(Number.POSITIVE_INFINITY).length
    this.#options.logger.error({ messages }, 'ended without the database; devices send again what was not decided')
  }
}
