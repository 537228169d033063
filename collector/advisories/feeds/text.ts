import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { malformed } from '../../../shared/advisories/reading.ts'
import { KeepsealError } from '../../../shared/errors.ts'

/** The text of a file, unpacked where it is gzip, of at most `most` bytes. Errors: advisory.malformed, advisory.too-large. */
export async function* textOf(file: string, most: number): AsyncGenerator<string> {
  const excess = (): KeepsealError => new KeepsealError('advisory.too-large', `more than ${most} bytes`)
  const limit = bounded(most, excess)
  const isPacked = await isGzip(file)
  // Nothing is awaited between: an error of a stream that nobody listens to would end the process.
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  const pieces: AsyncIterable<Buffer> = isPacked
    ? pipeline(source, createGunzip(), limit, () => undefined)
    : pipeline(source, limit, () => undefined)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const piece of pieces) yield decoder.decode(piece, { stream: true })
    yield decoder.decode()
  } catch (error) {
    if (error instanceof KeepsealError) throw error
    if (isOfZlib(error)) throw malformed('gzip', error.message)
    if (error instanceof TypeError) throw malformed('', 'is no UTF-8')
    throw error
  }
}

export async function wholeText(file: string, most: number): Promise<string> {
  const pieces: string[] = []
  for await (const piece of textOf(file, most)) pieces.push(piece)
  return pieces.join('')
}

const isOfZlib = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const head = Buffer.alloc(2)
    const { bytesRead } = await handle.read(head, 0, 2, 0)
    return bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b
  } finally {
    await handle.close()
  }
}

/** Lets at most `most` bytes through; then what `excess` makes is thrown. */
function bounded(most: number, excess: () => Error): Transform {
  let size = 0
  return new Transform({
    transform(piece: Buffer, _encoding, callback) {
      size += piece.length
      if (size > most) callback(excess())
      else callback(null, piece)
    },
  })
}
