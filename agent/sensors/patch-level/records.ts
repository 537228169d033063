import { ListProblem, type PieceConsumer } from './pieces.ts'

const MAX_RECORD_LENGTH = 1024 * 1024
/** Ten times as many as a large distribution has packages. Empty ones count too. */
const MAX_RECORDS = 1_000_000

/** Cuts a list into its records, as byte strings. Throws ListProblem for what no list is. */
export class Records implements PieceConsumer {
  readonly #end: string
  readonly #visit: (record: string) => void
  #rest = ''
  #count = 0

  /** @param end what ends each record, or stands between two */
  constructor(end: string, visit: (record: string) => void) {
    this.#end = end
    this.#visit = visit
  }

  add(piece: Buffer): void {
    const records = (this.#rest + piece.toString('latin1')).split(this.#end)
    this.#rest = records.pop() ?? ''
    this.#count += records.length
    if (this.#count > MAX_RECORDS) throw new ListProblem('too-large')
    if (this.#rest.length > MAX_RECORD_LENGTH) throw new ListProblem('malformed')
    for (const record of records) this.#visit(record)
  }

  /** What stands after the last end. */
  get rest(): string {
    return this.#rest
  }
}

/**
 * The same text without the larger one that it was cut out of: V8 keeps a whole piece of a list in memory for each
 * version that is remembered of it.
 */
export const detached = (byteString: string): string => Buffer.from(byteString, 'latin1').toString('latin1')
