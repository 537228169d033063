interface Weight<T> {
  readonly of: (value: T) => number
  readonly max: number
}

/** The most recently used of what is costly to make, within a number and, where given, a weight. */
export class Recent<T> {
  readonly #entries = new Map<string, T>()
  readonly #capacity: number
  readonly #weight: Weight<T>
  #total = 0

  constructor(capacity: number, weight: Weight<T> = { of: () => 0, max: 0 }) {
    this.#capacity = capacity
    this.#weight = weight
  }

  get(name: string): T | undefined {
    const held = this.#entries.get(name)
    if (held === undefined) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, held)
    return held
  }

  /** Keeps and returns the value; those that were used longest ago give way, and in the end it itself. */
  keep(name: string, value: T): T {
    this.#remove(name)
    this.#entries.set(name, value)
    this.#total += this.#weight.of(value)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#total <= this.#weight.max) break
      this.#remove(oldest)
    }
    return value
  }

  #remove(name: string): void {
    const held = this.#entries.get(name)
    if (held === undefined) return
    this.#entries.delete(name)
    this.#total -= this.#weight.of(held)
  }
}
