import { decodeLz4Block } from './block.ts'
import { Lz4Error } from './error.ts'
import { Xxh32 } from './xxh32.ts'

/** The LZ4 frame format, https://github.com/lz4/lz4, doc/lz4_Frame_format.md, version 1.6.4. */
const MAGIC = 0x184d2204
const SKIPPABLE = 0x184d2a50
const WINDOW_BYTES = 64 * 1024
/** Block maximum sizes 4 to 7. */
const BLOCK_BYTES: ReadonlyMap<number, number> = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
])
/** So many small blocks are decoded before the window is moved. */
const BLOCKS_BETWEEN_MOVES = 4
/** Both far beyond what an encoder makes of a file of the size that is read: empty ones would take time without end. */
const MAX_FRAMES = 1024
const MAX_BLOCKS = 65_536
const UNCOMPRESSED = 0x8000_0000

/** Fills `into` from `position` in the compressed file on, as far as that goes, and tells how far. */
export type ReadAt = (into: Uint8Array, position: number) => number

/**
 * The content of all frames of a file, in pieces of at most a block, each of which is only valid until the next is
 * asked for. Holds one block and the 64 KiB before it. Throws Lz4Error for what is cut, damaged, or needs a
 * dictionary, and what `read` throws.
 */
export function* decodeLz4(read: ReadAt): Generator<Buffer> {
  const input = new Input(read)
  let blocks = 0
  for (let frames = 0; ; frames++) {
    const magic = input.magic()
    if (magic === undefined && frames > 0) return
    if (frames === MAX_FRAMES) throw new Lz4Error('too many frames')
    if (magic !== undefined && (magic & ~0xf) === SKIPPABLE) input.skip(input.word())
    else if (magic !== MAGIC) throw new Lz4Error('no frame')
    else {
      for (const piece of new Frame(input).pieces()) {
        if (++blocks > MAX_BLOCKS) throw new Lz4Error('too many blocks')
        yield piece
      }
    }
  }
}

class Input {
  position = 0
  readonly #read: ReadAt
  readonly #word = Buffer.alloc(4)

  constructor(read: ReadAt) {
    this.#read = read
  }

  fill(into: Uint8Array): void {
    if (this.#read(into, this.position) !== into.length) throw new Lz4Error('cut')
    this.position += into.length
  }

  skip(length: number): void {
    if (length === 0) return
    this.position += length - 1
    this.fill(this.#word.subarray(0, 1))
  }

  word(): number {
    this.fill(this.#word)
    return this.#word.readUInt32LE(0)
  }

  /** Undefined at the end of the file. */
  magic(): number | undefined {
    return this.#read(this.#word.subarray(0, 1), this.position) === 0 ? undefined : this.word()
  }
}

interface Descriptor {
  readonly blocksAreLinked: boolean
  readonly blocksHaveChecksums: boolean
  readonly contentHasChecksum: boolean
  readonly contentSize: bigint | undefined
  readonly blockBytes: number
}

/** FLG, BD, [content size], [dictionary id], HC: the second byte of the digest of all before it. */
function readDescriptor(input: Input): Descriptor {
  const start = Buffer.alloc(2)
  input.fill(start)
  const [flags, sizes] = [start.readUInt8(0), start.readUInt8(1)]
  const blockBytes = BLOCK_BYTES.get(sizes >> 4)
  // Version 01, and reserved bits that have to be zero.
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0 || (sizes & 0x0f) !== 0 || blockBytes === undefined) {
    throw new Lz4Error('descriptor')
  }
  if ((flags & 0x01) !== 0) throw new Lz4Error('needs a dictionary')
  const size = Buffer.alloc((flags & 0x08) === 0 ? 0 : 8)
  input.fill(size)
  const check = Buffer.alloc(1)
  input.fill(check)
  if (((new Xxh32().add(start).add(size).digest() >> 8) & 0xff) !== check.readUInt8(0)) {
    throw new Lz4Error('checksum of the descriptor')
  }
  return {
    blocksAreLinked: (flags & 0x20) === 0,
    blocksHaveChecksums: (flags & 0x10) !== 0,
    contentHasChecksum: (flags & 0x04) !== 0,
    contentSize: size.length === 0 ? undefined : size.readBigUInt64LE(0),
    blockBytes,
  }
}

class Frame {
  readonly #input: Input
  readonly #descriptor: Descriptor
  /** The window, what is being written, and behind it the block that is being decoded. */
  readonly #arena: Buffer
  readonly #sourceStart: number
  #to = WINDOW_BYTES
  #windowStart = WINDOW_BYTES

  constructor(input: Input) {
    this.#input = input
    this.#descriptor = readDescriptor(input)
    const { blockBytes } = this.#descriptor
    const written = Math.max(blockBytes, BLOCKS_BETWEEN_MOVES * WINDOW_BYTES)
    this.#sourceStart = WINDOW_BYTES + written
    this.#arena = Buffer.allocUnsafeSlow(this.#sourceStart + blockBytes)
  }

  *pieces(): Generator<Buffer> {
    const { contentHasChecksum, contentSize } = this.#descriptor
    const content = contentHasChecksum ? new Xxh32() : undefined
    let total = 0
    for (;;) {
      const header = this.#input.word()
      if (header === 0) break
      const piece = this.#block(header)
      total += piece.length
      content?.add(piece)
      yield piece
    }
    if (content !== undefined && content.digest() !== this.#input.word()) throw new Lz4Error('checksum of the content')
    if (contentSize !== undefined && contentSize !== BigInt(total)) throw new Lz4Error('size of the content')
  }

  #block(header: number): Buffer {
    const { blocksAreLinked, blocksHaveChecksums, blockBytes } = this.#descriptor
    const isCompressed = header < UNCOMPRESSED
    const length = isCompressed ? header : header - UNCOMPRESSED
    if (length > blockBytes) throw new Lz4Error('size of a block')
    this.#makeRoom()
    if (!blocksAreLinked) this.#windowStart = this.#to
    const start = this.#to
    const at = isCompressed ? this.#sourceStart : start
    const source = this.#arena.subarray(at, at + length)
    this.#input.fill(source)
    if (blocksHaveChecksums && new Xxh32().add(source).digest() !== this.#input.word()) {
      throw new Lz4Error('checksum of a block')
    }
    this.#to = isCompressed
      ? decodeLz4Block(this.#arena, at, at + length, start, start + blockBytes, this.#windowStart)
      : start + length
    return this.#arena.subarray(start, this.#to)
  }

  #makeRoom(): void {
    if (this.#to + this.#descriptor.blockBytes <= this.#sourceStart) return
    const kept = Math.min(WINDOW_BYTES, this.#to - this.#windowStart)
    this.#arena.copyWithin(WINDOW_BYTES - kept, this.#to - kept, this.#to)
    this.#windowStart = WINDOW_BYTES - kept
    this.#to = WINDOW_BYTES
  }
}
