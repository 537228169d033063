const MOST_MS = 30_000
/** Of the time of a collector that an open page takes by asking again: a large fleet changes without a pause. */
const SHARE = 20

/**
 * When to ask again after a change: after `least`, and not before twenty times of what the last answer took. Further
 * changes meanwhile are in that answer, too.
 */
export class Pace {
  readonly #least: number
  #took = 0
  #timer: number | undefined

  constructor(least: number) {
    this.#least = least
  }

  /** Of an answer, in ms. */
  took(ms: number): void {
    this.#took = ms
  }

  get delay(): number {
    return Math.min(MOST_MS, Math.max(this.#least, SHARE * this.#took))
  }

  later(ask: () => void): void {
    this.#timer ??= window.setTimeout(() => {
      this.#timer = undefined
      ask()
    }, this.delay)
  }

  stop(): void {
    window.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
