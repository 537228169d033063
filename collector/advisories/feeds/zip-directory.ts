import type { FileHandle } from 'node:fs/promises'
import { KeepsealError } from '../../../shared/errors.ts'

/** One file as the central directory of a zip archive has it. */
export interface ZipEntry {
  readonly name: string
  /** 0: as it is; 8: deflated. */
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly unpacked: number
  /** Of its local header. */
  readonly offset: number
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[]
  /** Where the directory begins: files end before. */
  readonly start: number
}

const END = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT = 65_535
const END64_LOCATOR = 0x07064b50
const END64_LOCATOR_BYTES = 20
const END64 = 0x06064b50
const END64_BYTES = 56
const HEADER = 0x02014b50
const HEADER_BYTES = 46
const UNSET = 0xffffffff
const MAX_DIRECTORY = 512 * 1024 * 1024
const MAX_NAME = 1024

const damaged = (what: string): KeepsealError => new KeepsealError('advisory.malformed', `zip: ${what}`)

/** Reads the central directory (APPNOTE.TXT 4.3.12 and 4.3.16), also one of more than 65,535 entries (4.3.14). */
export async function readDirectory(handle: FileHandle, size: number, most: number): Promise<ZipDirectory> {
  const tail = await read(handle, Math.max(0, size - END_BYTES - MAX_COMMENT), size)
  const at = endOf(tail)
  let [count, length, start] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  if (tail.readUInt16LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== count) throw damaged('it has several parts')
  const endPosition = size - tail.length + at
  if (count === 0xffff || length === UNSET || start === UNSET) {
    ;[count, length, start] = await readEnd64(handle, endPosition, size)
  }
  if (count > most) throw new KeepsealError('advisory.too-large', `zip: ${count} files`)
  if (length > MAX_DIRECTORY) throw new KeepsealError('advisory.too-large', `zip: a directory of ${length} bytes`)
  if (start + length > endPosition || count * HEADER_BYTES > length) throw damaged('its directory is not where it says')
  const entries = readEntries(await read(handle, start, start + length), count)
  return { entries, start }
}

/** From the end: a comment may look like the record, and then does not reach to the end of the file as it says. */
function endOf(tail: Buffer): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at
  }
  throw damaged('it has no end, or is none')
}

async function readEnd64(handle: FileHandle, before: number, size: number): Promise<[number, number, number]> {
  const locator = await read(handle, before - END64_LOCATOR_BYTES, before)
  if (locator.readUInt32LE(0) !== END64_LOCATOR) throw damaged('its directory has no length')
  const at = safe(locator.readBigUInt64LE(8), size)
  const end = await read(handle, at, at + END64_BYTES)
  if (end.readUInt32LE(0) !== END64) throw damaged('its directory has no length')
  return [
    safe(end.readBigUInt64LE(32), Number.MAX_SAFE_INTEGER),
    safe(end.readBigUInt64LE(40), size),
    safe(end.readBigUInt64LE(48), size),
  ]
}

function safe(value: bigint, most: number): number {
  if (value > BigInt(most)) throw damaged('a number is larger than the file')
  return Number(value)
}

function readEntries(directory: Buffer, count: number): readonly ZipEntry[] {
  const entries: ZipEntry[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    if (at + HEADER_BYTES > directory.length || directory.readUInt32LE(at) !== HEADER) {
      throw damaged(`entry ${index} of its directory is none`)
    }
    const flags = directory.readUInt16LE(at + 8)
    const method = directory.readUInt16LE(at + 10)
    const crc = directory.readUInt32LE(at + 16)
    const [packed, unpacked] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24)]
    const [nameLength, extra] = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30)]
    const next = at + HEADER_BYTES + nameLength + extra + directory.readUInt16LE(at + 32)
    const offset = directory.readUInt32LE(at + 42)
    if (next > directory.length || nameLength > MAX_NAME) throw damaged(`entry ${index} of its directory is too long`)
    const name = directory.toString('utf8', at + HEADER_BYTES, at + HEADER_BYTES + nameLength)
    if ((flags & 1) !== 0) throw damaged(`${name} is encrypted`)
    if (method !== 0 && method !== 8) throw damaged(`${name} is packed by method ${method}`)
    if (packed === UNSET || unpacked === UNSET || offset === UNSET) {
      throw new KeepsealError('advisory.too-large', `zip: ${name}`)
    }
    entries.push({ name, method, crc, packed, unpacked, offset })
    at = next
  }
  if (at !== directory.length) throw damaged('its directory goes on after its last entry')
  return entries
}

async function read(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  if (from < 0 || to < from) throw damaged('it is cut off')
  const buffer = Buffer.alloc(to - from)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
  if (bytesRead !== buffer.length) throw damaged('it is cut off')
  return buffer
}
