import * as v from 'valibot'
import { KeepsealError } from '../../shared/errors.ts'
import { decodeChecked, encodeChecked } from '../state/checked-json.ts'
import { readPrivateFile, writeDurably } from '../state/files.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const Counters = v.strictObject({
  /** Reports that were given up unreceipted: no room, too old, or damaged. */
  dropped: count,
  /** Reports that the collector refused. */
  refused: count,
  /** Entries with a lower order are counted above: one that is still there after a crash is not counted twice. */
  firstKept: count,
})
export type Counters = Readonly<v.InferOutput<typeof Counters>>

/** What an outbox has lost since it was made. */
export class CounterFile {
  readonly #path: string
  #current: Counters

  private constructor(path: string, current: Counters) {
    this.#path = path
    this.#current = current
  }

  /** A file that cannot be used is told to `report`, and counting begins anew. */
  static async open(path: string, report: (problem: KeepsealError) => void): Promise<CounterFile> {
    const none = { dropped: 0, refused: 0, firstKept: 0 }
    try {
      const content = await readPrivateFile(path, 4096)
      const stored = content === undefined ? none : decodeChecked(Counters, content)
      if (stored === undefined) throw new KeepsealError('state.unreadable', path)
      return new CounterFile(path, stored)
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      report(error)
      return new CounterFile(path, none)
    }
  }

  get current(): Counters {
    return this.#current
  }

  /** Counts at once in memory. Throws as `writeDurably` does; the next write then includes this one. */
  async add({ dropped = 0, refused = 0, firstKept = 0 }: Partial<Counters>): Promise<void> {
    const before = this.#current
    this.#current = {
      dropped: before.dropped + dropped,
      refused: before.refused + refused,
      firstKept: Math.max(before.firstKept, firstKept),
    }
    await writeDurably(this.#path, encodeChecked(this.#current))
  }
}
