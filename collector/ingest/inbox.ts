import type { ReceivedMessage } from './evidence-handler.ts'

/**
 * The bounded queue between the broker and the database. Taking a message is what its PUBACK waits for: when the
 * queue is full the broker is held back, and so are the devices, whose outboxes have the room.
 */
export class Inbox {
  readonly #capacity: number
  readonly #queue: ReceivedMessage[] = []
  readonly #waiting: (() => void)[] = []
  #wake: (() => void) | undefined
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
  }

  /** Waits for messages and gives at most `limit` of them; an empty list after `close` when all were given. */
  async take(limit: number): Promise<readonly ReceivedMessage[]> {
    while (this.#queue.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
    return this.takeNow(limit)
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
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
