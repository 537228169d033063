/** What a run has come to. Times in ms of the wall clock. */
export interface Summary {
  readonly made: number
  /** Messages with evidence, repeated ones included. */
  readonly sent: number
  readonly contentsSent: number
  readonly receipted: number
  /** By code. */
  readonly refused: Readonly<Record<string, number>>
  readonly lost: number
  /** From the first sending of a report to its receipt; null without any. */
  readonly receiptMs: { readonly p50: number; readonly p99: number } | null
}

/** Beyond this many every second one is left out, and so on: enough for a percentile, whatever the length of a run. */
const MAX_SAMPLES = 100_000

export class Statistics {
  made = 0
  sent = 0
  contentsSent = 0
  receipted = 0
  lost = 0
  readonly #refused = new Map<string, number>()
  #times: number[] = []
  #seen = 0
  #stride = 1

  refused(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  receiptAfter(ms: number): void {
    this.receipted++
    if (this.#seen++ % this.#stride !== 0) return
    this.#times.push(ms)
    if (this.#times.length <= MAX_SAMPLES) return
    this.#times = this.#times.filter((_, index) => index % 2 === 0)
    this.#stride *= 2
  }

  get summary(): Summary {
    const { made, sent, contentsSent, receipted, lost } = this
    const sorted = this.#times.toSorted((a, b) => a - b)
    const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
    return {
      made,
      sent,
      contentsSent,
      receipted,
      refused: Object.fromEntries([...this.#refused].sort(([a], [b]) => a.localeCompare(b))),
      lost,
      receiptMs: sorted.length === 0 ? null : { p50: quantile(0.5), p99: quantile(0.99) },
    }
  }
}
