import { setImmediate as turn } from 'node:timers/promises'
import type { ReceivedMessage } from './evidence-handler.ts'

/** Far below what anybody notices, and enough for a broker's client to hand over some hundred messages. */
const GATHER_MS = 10

/**
 * The bounded queue between the broker and the database. Taking a message is what its PUBACK waits for: when the
 * queue is full the broker is held back, and so are the devices, whose outboxes have the room.
 */
export class Inbox {
  readonly #capacity: number
  readonly #queue: ReceivedMessage[] = []
  readonly #waiting: (() => void)[] = []
  #wake: (() => void) | undefined
  /** Called when so many are here as a batch takes. */
  #full: { readonly limit: number; readonly wake: () => void } | undefined
  #closed = false

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#queue.length
  }

  /** Resolves when the message was taken. Rejects after `close`: it will be delivered again. */
  async put(message: ReceivedMessage): Promise<void> {
    while (!this.#closed && this.#queue.length >= this.#capacity) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    if (this.#closed) throw new Error('the collector is stopping')
    this.#queue.push(message)
    this.#wake?.()
    if (this.#full !== undefined && this.#queue.length >= this.#full.limit) this.#full.wake()
  }

  /**
   * Waits for messages and gives at most `limit` of them; an empty list after `close` when all were given. Where there
   * are fewer it waits some moments for more: what is done for a batch is done for each message of it otherwise.
   */
  async take(limit: number): Promise<readonly ReceivedMessage[]> {
    while (this.#queue.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
    await this.#gather(limit)
    return this.takeNow(limit)
  }

  async #gather(limit: number): Promise<void> {
    if (this.#closed) return
    // SQLite answers within the turn of the event loop: without this one nothing would arrive between two batches.
    await turn()
    if (this.#closed || this.#queue.length >= limit) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS)
      const wake = (): void => {
        clearTimeout(timer)
        resolve()
      }
      this.#full = { limit, wake }
    })
    this.#full = undefined
  }

  /** What is there, at most `limit`. */
  takeNow(limit: number): readonly ReceivedMessage[] {
    const batch = this.#queue.splice(0, limit)
    for (const resolve of this.#waiting.splice(0)) resolve()
    return batch
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
    this.#full?.wake()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
