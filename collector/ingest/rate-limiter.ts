interface Bucket {
  tokens: number
  at: number
}

/**
 * A token bucket for each device, within a bound of devices: the least recently active ones are forgotten, and begin
 * again with a full bucket. Units are the caller's: messages, or bytes.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>()
  readonly #capacity: number
  readonly #perMs: number
  readonly #devices: number

  constructor(options: { readonly capacity: number; readonly periodMs: number; readonly devices: number }) {
    this.#capacity = options.capacity
    this.#perMs = options.capacity / options.periodMs
    this.#devices = options.devices
  }

  /** Takes `amount`, and answers with 0; or takes nothing, and answers with the milliseconds after which there is enough. */
  take(device: string, amount: number, now: number): number {
    const held = this.#buckets.get(device) ?? { tokens: this.#capacity, at: now }
    // A clock that was set back gives nothing and takes nothing.
    const tokens = Math.min(this.#capacity, held.tokens + Math.max(0, now - held.at) * this.#perMs)
    const enough = tokens >= amount
    this.#buckets.delete(device)
    this.#buckets.set(device, { tokens: enough ? tokens - amount : tokens, at: now })
    if (this.#buckets.size > this.#devices) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return enough ? 0 : Math.ceil((amount - tokens) / this.#perMs)
  }
}
