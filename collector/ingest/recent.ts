/** The most recently used of what is costly to make, within a bound. */
export class Recent<T> {
  readonly #entries = new Map<string, T>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(name: string): T | undefined {
    const held = this.#entries.get(name)
    if (held !== undefined) this.keep(name, held)
    return held
  }

  keep(name: string, value: T): T {
    this.#entries.delete(name)
    this.#entries.set(name, value)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest)
    return value
  }
}
