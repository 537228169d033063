import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface RpmPackage {
  readonly name: string
  readonly version: string
  readonly release: string
  readonly epoch?: number
  readonly arch?: string
  readonly source?: string
  /** Bytes of file lists before the source's name: they decide over how many pages the header goes. */
  readonly padding?: number
}

const INT32 = 4
const STRING = 6
const STRING_ARRAY = 8

/** A header as rpm stores it: in the order of tags, without the magic. */
export function rpmHeader(one: RpmPackage): Buffer {
  const entries: [tag: number, type: number, data: Buffer][] = [
    [1000, STRING, text(one.name)],
    [1001, STRING, text(one.version)],
    [1002, STRING, text(one.release)],
  ]
  if (one.epoch !== undefined) {
    const epoch = Buffer.alloc(4)
    epoch.writeUInt32BE(one.epoch)
    entries.push([1003, INT32, epoch])
  }
  entries.push([1004, STRING, text('summary')])
  if (one.arch !== undefined) entries.push([1022, STRING, text(one.arch)])
  entries.push([1035, STRING_ARRAY, text('x'.repeat(one.padding ?? 0))])
  if (one.source !== undefined) entries.push([1044, STRING, text(one.source)])
  return headerOf(entries)
}

export function headerOf(entries: readonly (readonly [tag: number, type: number, data: Buffer])[]): Buffer {
  const index: Buffer[] = []
  const data: Buffer[] = []
  let offset = 0
  for (const [tag, type, value] of entries) {
    // Integers are aligned.
    const gap = type === INT32 ? (4 - (offset % 4)) % 4 : 0
    index.push(words(tag, type, offset + gap, 1))
    data.push(Buffer.alloc(gap), value)
    offset += gap + value.length
  }
  return Buffer.concat([words(entries.length, offset), ...index, ...data])
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1')

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/** A database as rpm makes it, by SQLite itself. */
export function rpmDatabase(headers: readonly Buffer[], pageSize = 4096): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-rpm-'))
  try {
    const path = join(directory, 'rpmdb.sqlite')
    const database = new Database(path)
    database.pragma(`page_size = ${pageSize}`)
    database.exec("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    database.exec("CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
    const insert = database.prepare("INSERT INTO 'Packages' (blob) VALUES (?)")
    database.transaction(() => {
      for (const header of headers) insert.run(header)
    })()
    database.close()
    return readFileSync(path)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
