import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { PackageList } from '../../../shared/posture/sections/patch-level.ts'
import { parseStanzas } from '../deb822.ts'
import type { Host, HostFile } from '../host.ts'

/** A list of all that a large distribution has is 50 MB. */
const MAX_LIST_BYTES = 256 * 1024 * 1024
/** Small, so that what is read is gone again before the next garbage collection of a large heap. */
const PIECE_BYTES = 32 * 1024
const MAX_RECORD_LENGTH = 1024 * 1024
/** Ten times as many as a large distribution has packages. Empty ones count too. */
const MAX_RECORDS = 1_000_000

const FIRST_FIELD = 'Package: '
const WANTED: ReadonlySet<string> = new Set(['package', 'version', 'architecture'])

export interface ListedPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** A set of names, or a map by name. */
interface NameSet {
  has(name: string): boolean
}

/** Compressed formats that apt keeps on request, apt.conf(5) Acquire::GzipIndexes, and that Node cannot read. */
const COMPRESSED = /\.(?:lz4|xz|bz2|zst|lzma)$/

/**
 * Tells `visit` of each record in a list of packages whose name is among `names`. Nearly all of the tens of thousands of
 * records are of packages that are not installed: of those only the first line is looked at.
 */
export async function readPackageList(
  host: Host,
  path: string,
  names: NameSet,
  visit: (listed: ListedPackage) => void,
): Promise<PackageList['status']> {
  if (COMPRESSED.test(path)) return 'compressed'
  const file = host.open(path)
  if (file.status !== 'found') return file.status
  const records = new RecordReader(names, visit)
  try {
    if (file.value.size > MAX_LIST_BYTES) return 'too-large'
    if (path.endsWith('.gz'))
      await pipeline(Readable.from(pieces(file.value, true)), createGunzip(), (all) => take(all, records))
    else await addAll(pieces(file.value, false), records)
    return records.finish()
  } catch (error) {
    // A pipeline whose end was refused by its consumer may tell of the interruption instead.
    if (records.problem !== undefined) return records.problem
    if (error instanceof ListProblem) return error.status
    // zlib's own errors carry a code: the list is cut or damaged.
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return 'malformed'
    throw error
  } finally {
    file.value.close()
  }
}

/** Lets MQTT keep-alives and signals through every few megabytes: a slow gateway reads a long list for seconds. */
async function addAll(all: Iterable<Buffer>, records: RecordReader): Promise<void> {
  let count = 0
  for (const piece of all) {
    records.add(piece)
    if (++count % 128 === 0) await setImmediate()
  }
}

async function take(all: AsyncIterable<Buffer>, records: RecordReader): Promise<void> {
  for await (const piece of all) records.add(piece)
}

/** All of the file. zlib works on a piece while the next is read: it needs each in a buffer of its own. */
function* pieces(file: HostFile, areKept: boolean): Generator<Buffer> {
  let buffer = Buffer.allocUnsafe(PIECE_BYTES)
  for (let position = 0; ;) {
    if (areKept && position > 0) buffer = Buffer.allocUnsafe(PIECE_BYTES)
    const length = file.read(buffer, position)
    if (length.status !== 'found') throw new ListProblem(length.status)
    if (length.value === 0) return
    yield buffer.subarray(0, length.value)
    position += length.value
  }
}

class ListProblem extends Error {
  readonly status: PackageList['status']

  constructor(status: PackageList['status']) {
    super(status)
    this.status = status
  }
}

class RecordReader {
  /** Why the list was not read to its end. */
  problem: PackageList['status'] | undefined
  readonly #names: NameSet
  readonly #visit: (listed: ListedPackage) => void
  #rest = ''
  #total = 0
  #records = 0
  #malformed = false

  constructor(names: NameSet, visit: (listed: ListedPackage) => void) {
    this.#names = names
    this.#visit = visit
  }

  add(piece: Buffer): void {
    this.#total += piece.length
    if (this.#total > MAX_LIST_BYTES) this.#refuse('too-large')
    const records = (this.#rest + piece.toString('latin1')).split('\n\n')
    this.#rest = records.pop() ?? ''
    this.#records += records.length
    if (this.#records > MAX_RECORDS) this.#refuse('too-large')
    if (this.#rest.length > MAX_RECORD_LENGTH) this.#refuse('malformed')
    const names = this.#names
    for (const record of records) {
      const end = record.indexOf('\n')
      const isOther = end >= 0 && record.startsWith(FIRST_FIELD) && !names.has(record.slice(FIRST_FIELD.length, end))
      if (!isOther) this.#record(record)
    }
  }

  #refuse(problem: PackageList['status']): never {
    this.problem = problem
    throw new ListProblem(problem)
  }

  finish(): PackageList['status'] {
    if (this.#rest.trim() !== '') this.#record(this.#rest)
    return this.#malformed ? 'malformed' : 'read'
  }

  #record(record: string): void {
    // The name may stand elsewhere than in the first line, though no archive writes it so.
    for (const { fields, malformed } of parseStanzas(record, { wanted: WANTED, comments: false })) {
      const [name, version, architecture] = [fields.get('package'), fields.get('version'), fields.get('architecture')]
      if (malformed || name === undefined || version === undefined || architecture === undefined) this.#malformed = true
      else if (this.#names.has(name)) this.#visit({ name, version, architecture })
    }
  }
}
