import { open, type FileHandle } from 'node:fs/promises'
import { crc32, inflateRawSync } from 'node:zlib'
import { KeepsealError } from '../../../shared/errors.ts'
import { readDirectory, type ZipEntry } from './zip-directory.ts'

export interface ZipLimits {
  readonly entries: number
  /** Of one file, and of all, when they are unpacked. */
  readonly entryBytes: number
  readonly totalBytes: number
  /** How many times larger than packed one file may be. */
  readonly ratio: number
}

export interface ZippedFile {
  readonly name: string
  readonly bytes: Buffer
}

export const ZIP_LIMITS: ZipLimits = {
  entries: 2_000_000,
  entryBytes: 64 * 1024 * 1024,
  totalBytes: 16 * 1024 ** 3,
  ratio: 200,
}

/** Small files of repeated text pack better than any rule about ratios allows, and do no harm. */
const RATIO_FROM = 1024 * 1024

const LOCAL_HEADER = 0x04034b50
const LOCAL_HEADER_BYTES = 30

const damaged = (what: string): KeepsealError => new KeepsealError('advisory.malformed', `zip: ${what}`)
const excessive = (what: string): KeepsealError => new KeepsealError('advisory.too-large', `zip: ${what}`)

/**
 * The files of a zip archive (APPNOTE.TXT 6.3), one after another. What the central directory says is bounded before
 * anything is unpacked, and nothing unpacks to more than was said. Errors: advisory.malformed, advisory.too-large.
 */
export async function* readZip(path: string, limits: ZipLimits = ZIP_LIMITS): AsyncGenerator<ZippedFile> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const { entries, start } = await readDirectory(handle, size, limits.entries)
    assertBounded(entries, start, limits)
    for (const entry of entries) {
      if (!entry.name.endsWith('/')) yield { name: entry.name, bytes: await unpack(handle, entry, start) }
    }
  } finally {
    await handle.close()
  }
}

function assertBounded(entries: readonly ZipEntry[], directoryStart: number, limits: ZipLimits): void {
  let total = 0
  for (const { name, packed, unpacked } of entries) {
    total += unpacked
    if (unpacked > limits.entryBytes) throw excessive(`${name} has ${unpacked} bytes`)
    if (unpacked > RATIO_FROM && unpacked > packed * limits.ratio) {
      throw excessive(`${name} is ${Math.round(unpacked / Math.max(packed, 1))} times larger than it is packed`)
    }
  }
  if (total > limits.totalBytes) throw excessive(`${total} bytes in all`)
  // Files that share their bytes make much of little: each must have its own.
  let end = 0
  for (const { name, offset, packed } of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw damaged(`${name} overlaps the one before`)
    end = offset + LOCAL_HEADER_BYTES + packed
  }
  if (end > directoryStart) throw damaged('files reach into the directory')
}

async function unpack(handle: FileHandle, entry: ZipEntry, directoryStart: number): Promise<Buffer> {
  const { name, offset, packed, unpacked, method, crc } = entry
  const header = await readExactly(handle, offset, LOCAL_HEADER_BYTES)
  if (header.readUInt32LE(0) !== LOCAL_HEADER) throw damaged(`${name} is not where the directory says`)
  const start = offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (start + packed > directoryStart) throw damaged(`${name} reaches into the directory`)
  const content = await readExactly(handle, start, packed)
  const bytes = method === 0 ? content : inflate(content, unpacked, name)
  if (bytes.length !== unpacked) throw damaged(`${name} has ${bytes.length} bytes, not ${unpacked}`)
  if (crc32(bytes) !== crc) throw damaged(`${name} is damaged`)
  return bytes
}

function inflate(content: Buffer, unpacked: number, name: string): Buffer {
  try {
    // Zero would mean no bound at all.
    return inflateRawSync(content, { maxOutputLength: Math.max(unpacked, 1) })
  } catch (error) {
    const isLonger = error instanceof RangeError
    throw isLonger ? excessive(`${name} unpacks to more than it says`) : damaged(`${name} cannot be unpacked`)
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  if (bytesRead !== length) throw damaged('it is cut off')
  return buffer
}
