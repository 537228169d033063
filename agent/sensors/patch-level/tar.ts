import { ListProblem, type PieceConsumer } from './pieces.ts'

/** POSIX.1-1988 ustar: headers and contents in blocks of this size. */
const BLOCK = 512
const NAME_BYTES = 100
const SIZE = { start: 124, end: 136 } as const
const CHECKSUM = { start: 148, end: 156 } as const

/** Hands on the content of the files of one name in a tar archive. Throws ListProblem for what is no archive. */
export class TarMember implements PieceConsumer {
  /** Whether there was such a file, to its end. */
  found = false
  readonly #name: string
  readonly #content: PieceConsumer
  readonly #header = Buffer.alloc(BLOCK)
  #filled = 0
  /** Of the file that is being read: bytes of content, and then of padding, that are still to come. */
  #left = 0
  #padding = 0
  #isWanted = false

  constructor(name: string, content: PieceConsumer) {
    this.#name = name
    this.#content = content
  }

  add(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (this.#left > 0) {
        const part = piece.subarray(at, at + this.#left)
        if (this.#isWanted) this.#content.add(part)
        this.#left -= part.length
        at += part.length
      } else if (this.#padding > 0) {
        const length = Math.min(this.#padding, piece.length - at)
        this.#padding -= length
        at += length
      } else {
        const length = piece.copy(this.#header, this.#filled, at)
        this.#filled += length
        at += length
        if (this.#filled === BLOCK) this.#open()
      }
      if (this.#isWanted && this.#left === 0) {
        this.found = true
        this.#isWanted = false
      }
    }
  }

  #open(): void {
    this.#filled = 0
    // The end of an archive; another one may follow, as that of apk's signature does not even have an end.
    if (this.#header.every((byte) => byte === 0)) return
    const size = octal(this.#header, SIZE)
    let sum = 0
    for (const [at, byte] of this.#header.entries()) sum += at >= CHECKSUM.start && at < CHECKSUM.end ? 32 : byte
    if (size === undefined || sum !== octal(this.#header, CHECKSUM)) throw new ListProblem('malformed')
    const name = this.#header.toString('latin1', 0, NAME_BYTES).split('\0', 1).join('')
    this.#isWanted = name === this.#name
    this.#left = size
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK
  }
}

function octal(header: Buffer, { start, end }: { start: number; end: number }): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(header.toString('latin1', start, end))?.[1]
  return digits === undefined ? undefined : Number.parseInt(digits, 8)
}
