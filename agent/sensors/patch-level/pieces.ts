import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { PackageList } from '../../../shared/posture/sections/patch-level.ts'
import type { Host, HostFile } from '../host.ts'
import { Lz4Error } from '../lz4/error.ts'
import { decodeLz4 } from '../lz4/frame.ts'

/** A list of all that a large distribution has is 50 MB. */
const MAX_LIST_BYTES = 256 * 1024 * 1024
/** Small, so that what is read is gone again before the next garbage collection of a large heap. */
const PIECE_BYTES = 32 * 1024
/** Between two turns of the event loop. A slow gateway decodes a megabyte of LZ4 in a fifth of a second. */
const PLAIN_PIECES_A_TURN = 128
const LZ4_PIECES_A_TURN = 4

export type ListStatus = PackageList['status']

/** Why a list is not read to its end. */
export class ListProblem extends Error {
  readonly status: ListStatus

  constructor(status: ListStatus) {
    super(status)
    this.status = status
  }
}

/** Takes a list piece by piece; a piece is only valid during the call. Throws ListProblem. */
export interface PieceConsumer {
  add(piece: Buffer): void
}

type Compression = 'none' | 'gzip' | 'lz4' | 'other'

/** By name, apt.conf(5) Acquire::GzipIndexes. */
const EXTENSIONS: readonly (readonly [RegExp, Compression])[] = [
  [/\.t?gz$/, 'gzip'],
  [/\.lz4$/, 'lz4'],
  [/\.(?:xz|bz2|zst|lzma|zck|adb)$/, 'other'],
]
/** By the first bytes, of files that have no such name: opkg keeps its lists as they came. */
const SIGNATURES: readonly (readonly [string, Compression])[] = [
  ['1f8b', 'gzip'],
  ['04224d18', 'lz4'],
  ['28b52ffd', 'other'],
  ['fd377a585a00', 'other'],
  ['425a68', 'other'],
]

/**
 * Feeds a downloaded list to `consumer`, decompressed where it is in a format that can be read, and lets MQTT
 * keep-alives and signals through meanwhile. Answers `read`, or why the list was not read to its end.
 */
export async function readPieces(host: Host, path: string, consumer: PieceConsumer): Promise<ListStatus> {
  const file = host.open(path)
  if (file.status !== 'found') return file.status
  const bounded = new Bounded(consumer)
  try {
    if (file.value.size > MAX_LIST_BYTES) return 'too-large'
    switch (compressionOf(path, file.value)) {
      case 'other':
        return 'compressed'
      case 'gzip':
        await pipeline(Readable.from(pieces(file.value, true)), createGunzip(), async (all: AsyncIterable<Buffer>) => {
          for await (const piece of all) bounded.add(piece)
        })
        break
      case 'lz4':
        await addAll(decodeLz4(readAt(file.value)), bounded, LZ4_PIECES_A_TURN)
        break
      default:
        await addAll(pieces(file.value, false), bounded, PLAIN_PIECES_A_TURN)
    }
    return 'read'
  } catch (error) {
    // A pipeline whose end was refused by its consumer may tell of the interruption instead.
    if (bounded.problem !== undefined) return bounded.problem
    if (error instanceof ListProblem) return error.status
    // zlib's own errors carry a code: the list is cut or damaged.
    if (error instanceof Lz4Error || typeof (error as NodeJS.ErrnoException).code === 'string') return 'malformed'
    throw error
  } finally {
    file.value.close()
  }
}

function compressionOf(path: string, file: HostFile): Compression {
  const known = EXTENSIONS.find(([extension]) => extension.test(path))
  if (known !== undefined) return known[1]
  const head = Buffer.alloc(6)
  readAt(file)(head, 0)
  return SIGNATURES.find(([signature]) => head.toString('hex').startsWith(signature))?.[1] ?? 'none'
}

const readAt =
  (file: HostFile) =>
  (into: Uint8Array, position: number): number => {
    const length = file.read(into, position)
    if (length.status !== 'found') throw new ListProblem(length.status)
    return length.value
  }

async function addAll(all: Iterable<Buffer>, consumer: PieceConsumer, piecesATurn: number): Promise<void> {
  let count = 0
  for (const piece of all) {
    consumer.add(piece)
    if (++count % piecesATurn === 0) await setImmediate()
  }
}

/** All of the file. zlib works on a piece while the next is read: it needs each in a buffer of its own. */
function* pieces(file: HostFile, areKept: boolean): Generator<Buffer> {
  const read = readAt(file)
  let buffer = Buffer.allocUnsafe(PIECE_BYTES)
  for (let position = 0; ;) {
    if (areKept && position > 0) buffer = Buffer.allocUnsafe(PIECE_BYTES)
    const length = read(buffer, position)
    if (length === 0) return
    yield buffer.subarray(0, length)
    position += length
  }
}

class Bounded implements PieceConsumer {
  /** Why the consumer refused the rest. */
  problem: ListStatus | undefined
  readonly #consumer: PieceConsumer
  #total = 0

  constructor(consumer: PieceConsumer) {
    this.#consumer = consumer
  }

  add(piece: Buffer): void {
    this.#total += piece.length
    try {
      if (this.#total > MAX_LIST_BYTES) throw new ListProblem('too-large')
      this.#consumer.add(piece)
    } catch (error) {
      if (error instanceof ListProblem) this.problem = error.status
      throw error
    }
  }
}
