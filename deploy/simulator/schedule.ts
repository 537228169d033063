/** What is to happen at a time of the simulation, ms from its begin. */
export interface ScheduledTask {
  readonly at: number
  readonly run: () => Promise<void>
}

interface Entry extends ScheduledTask {
  /** Tasks of one time come in the order in which they were scheduled. */
  readonly order: number
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Tasks by their time: a binary heap, since a fleet has one task or two for each gateway. */
export class Schedule {
  readonly #heap: Entry[] = []
  #scheduled = 0

  get size(): number {
    return this.#heap.length
  }

  /** When the next task is due; undefined when there is none. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  add(at: number, run: () => Promise<void>): void {
    const entry: Entry = { at, run, order: this.#scheduled++ }
    let place = this.#heap.push(entry) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#heap[parent]
      if (above === undefined || !isBefore(entry, above)) break
      this.#heap[place] = above
      place = parent
    }
    this.#heap[place] = entry
  }

  take(): ScheduledTask | undefined {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(entry: Entry): void {
    let place = 0
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, entry)) break
      this.#heap[place] = child
      place = 2 * place + (isRight ? 2 : 1)
    }
    this.#heap[place] = entry
  }
}
