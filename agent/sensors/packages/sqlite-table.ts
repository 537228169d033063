import { SensorFailure } from '../sensor.ts'
import type { HostFile } from '../host.ts'

/**
 * Reads the rows of one table of an SQLite database, https://www.sqlite.org/fileformat2.html. Tables alone, no
 * indices, no queries, and not the write-ahead log: enough for databases that others keep, at a thousandth of the
 * size of the library.
 */
const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100
const LEAF = 0x0d
const INTERIOR = 0x05
/** Deeper than a b-tree of the largest database gets. */
const MAX_DEPTH = 20
/** How much is read at once; not less than the largest page. */
const WINDOW_BYTES = 64 * 1024
const MAX_ROW_BYTES = 32 * 1024 * 1024

/** A column's value: blobs and texts as bytes, integers as numbers, anything else as null. */
export type Column = Buffer | number | null

function malformed(detail: string): never {
  throw new SensorFailure({ status: 'failed', code: 'input-malformed', detail: `sqlite: ${detail}` })
}

export class SqliteDatabase {
  readonly #file: HostFile
  readonly #pageSize: number
  /** Of each page, what is left of it beside the part that extensions reserve (section 1.3.4). */
  readonly #usable: number
  readonly #pages: number
  /** No page belongs to two places: whoever asks for more pages than there are follows a loop. */
  #budget: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0

  constructor(file: HostFile) {
    const header = Buffer.alloc(HEADER_BYTES)
    this.#file = file
    this.#readInto(header, 0)
    if (header.toString('latin1', 0, 16) !== MAGIC) malformed('no database')
    const size = header.readUInt16BE(16)
    this.#pageSize = size === 1 ? 65_536 : size
    this.#usable = this.#pageSize - header.readUInt8(20)
    // Section 1.3.2 and 1.3.4: a power of two, and at least 480 usable bytes.
    if (this.#pageSize < 512 || (this.#pageSize & (this.#pageSize - 1)) !== 0 || this.#usable < 480)
      malformed('page size')
    this.#pages = Math.floor(file.size / this.#pageSize)
    // The schema is read once for each table that is asked for.
    this.#budget = 2 * this.#pages + 2
  }

  /** Rows of the table, or undefined if the database has none of this name. */
  rows(table: string): Generator<Column[]> | undefined {
    // Section 2.6: type, name, tbl_name, rootpage, sql.
    for (const [type, name, , root] of this.#tree(1, 0)) {
      const isTable = Buffer.isBuffer(type) && type.toString('latin1') === 'table'
      if (isTable && Buffer.isBuffer(name) && name.toString('latin1') === table) {
        return typeof root === 'number' ? this.#tree(root, 0) : malformed('root page')
      }
    }
    return undefined
  }

  #readInto(into: Buffer, position: number): void {
    const length = this.#file.read(into, position)
    if (length.status !== 'found')
      throw new SensorFailure({ status: 'failed', code: 'input-unreadable', detail: 'sqlite' })
    if (length.value !== into.length) malformed('cut')
  }

  #page(number: number): Buffer {
    if (number < 1 || number > this.#pages) malformed(`page ${number}`)
    if (--this.#budget < 0) malformed('loop')
    const position = (number - 1) * this.#pageSize
    const within = position - this.#windowStart
    if (within >= 0 && within + this.#pageSize <= this.#window.length) {
      return this.#window.subarray(within, within + this.#pageSize)
    }
    // The pages of a row mostly lie behind one another. Earlier windows live on in the pages that were cut from them.
    this.#window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, this.#pages * this.#pageSize - position))
    this.#windowStart = position
    this.#readInto(this.#window, position)
    return this.#window.subarray(0, this.#pageSize)
  }

  /** Section 1.6, b-tree pages. */
  *#tree(number: number, depth: number): Generator<Column[]> {
    if (depth > MAX_DEPTH) malformed('depth')
    const page = this.#page(number)
    const start = number === 1 ? HEADER_BYTES : 0
    const type = page.readUInt8(start)
    if (type !== LEAF && type !== INTERIOR) malformed('page type')
    const cells = page.readUInt16BE(start + 3)
    const pointers = start + (type === LEAF ? 8 : 12)
    if (pointers + cells * 2 > this.#usable) malformed('cell count')
    for (let cell = 0; cell < cells; cell++) {
      const at = page.readUInt16BE(pointers + cell * 2)
      if (at + 4 > this.#usable) malformed('cell pointer')
      if (type === INTERIOR) yield* this.#tree(page.readUInt32BE(at), depth + 1)
      else yield readRecord(this.#payload(page, at))
    }
    if (type === INTERIOR) yield* this.#tree(page.readUInt32BE(start + 8), depth + 1)
  }

  /** Section 1.6, the formulas for X, M and K: how much of a row lies in its cell, and how much in overflow pages. */
  #payload(page: Buffer, cell: number): Buffer {
    const usable = this.#usable
    const [length, afterLength] = varint(page, cell)
    const [, start] = varint(page, afterLength)
    if (length > MAX_ROW_BYTES) malformed('row length')
    const max = usable - 35
    const min = Math.floor(((usable - 12) * 32) / 255) - 23
    const spilled = min + ((length - min) % (usable - 4))
    const local = length <= max ? length : spilled <= max ? spilled : min
    if (start + local + (local < length ? 4 : 0) > usable) malformed('cell')
    if (local === length) return page.subarray(start, start + length)
    const payload = Buffer.allocUnsafe(length)
    page.copy(payload, 0, start, start + local)
    let next = page.readUInt32BE(start + local)
    for (let filled = local; filled < length;) {
      const overflow = this.#page(next)
      filled += overflow.copy(payload, filled, 4, Math.min(usable, 4 + length - filled))
      next = overflow.readUInt32BE(0)
    }
    // The last page of a chain has no successor.
    if (next !== 0) malformed('overflow')
    return payload
  }
}

/** Section 2.1, the record format. */
function readRecord(payload: Buffer): Column[] {
  const [headerLength, first] = varint(payload, 0)
  if (headerLength > payload.length) malformed('record header')
  const columns: Column[] = []
  let body = headerLength
  for (let at = first; at < headerLength;) {
    const [type, next] = varint(payload, at)
    const size = sizeOf(type)
    if (next > headerLength || body + size > payload.length) malformed('record')
    const value = payload.subarray(body, body + size)
    columns.push(
      type >= 12 ? value : type === 8 ? 0 : type === 9 ? 1 : size > 0 && size <= 6 ? value.readIntBE(0, size) : null,
    )
    body += size
    at = next
  }
  return columns
}

/** Serial types 0 to 9: null, integers of 1, 2, 3, 4, 6 and 8 bytes, a float, the constants 0 and 1. */
const SIZES: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]

function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  return SIZES[type] ?? malformed('serial type')
}

/** Big-endian groups of seven bits. Of the nine bytes that are allowed, none of our lengths needs more than seven. */
function varint(bytes: Buffer, start: number): [value: number, next: number] {
  let value = 0
  for (let at = start; at < start + 9; at++) {
    const byte = bytes[at]
    if (byte === undefined) return malformed('integer')
    if (at === start + 8) return [value * 256 + byte, at + 1]
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return [value, at + 1]
  }
  return malformed('integer')
}
