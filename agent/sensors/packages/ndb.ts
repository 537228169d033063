import type { HostFile } from '../host.ts'
import { SensorFailure } from '../sensor.ts'

/**
 * Reads the blobs of an rpm database in the format "ndb", which SUSE's distributions use: Packages.db as rpm writes it
 * (lib/backend/ndb/rpmpkg.c). All integers are little-endian. The Adler-32 of each blob is not checked: what a
 * database says is asserted in any case, and a header that is damaged is malformed by its own form.
 *
 * Header: magic, version, generation, number of slot pages, next package index. Slots of 16 bytes from its end to the
 * end of the slot pages: magic, package index, first block or 0, number of blocks. Blob: magic, package index,
 * generation, length; content and padding; checksum, length and magic at the end of its last block.
 */
const MAGIC = 'RpmP'
const SLOT_MAGIC = 'Slot'
const HEAD_MAGIC = 'BlbS'
const TAIL_MAGIC = 'BlbE'
const HEADER_BYTES = 32
const SLOT_BYTES = 16
const PAGE_BYTES = 4096
const BLOCK_BYTES = 16
const HEAD_BYTES = 16
const TAIL_BYTES = 12
/** A million packages, a page of slots for every 256 of them. */
const MAX_SLOT_PAGES = 4096
const MAX_BLOB_BYTES = 32 * 1024 * 1024

function malformed(detail: string): never {
  throw new SensorFailure({ status: 'failed', code: 'input-malformed', detail: `ndb: ${detail}` })
}

function readExactly(file: HostFile, into: Buffer, position: number): Buffer {
  const length = file.read(into, position)
  if (length.status !== 'found') throw new SensorFailure({ status: 'failed', code: 'input-unreadable', detail: 'ndb' })
  return length.value === into.length ? into : malformed('cut')
}

const word = (bytes: Buffer, index: number): number => bytes.readUInt32LE(index * 4)
const magic = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4)

/** The headers of all packages, each only valid until the next is asked for. Throws SensorFailure for what is damaged. */
export function* readNdb(file: HostFile): Generator<Buffer> {
  const header = readExactly(file, Buffer.alloc(HEADER_BYTES), 0)
  const pages = word(header, 3)
  if (magic(header, 0) !== MAGIC || word(header, 1) !== 0) malformed('no database')
  if (pages === 0 || pages > MAX_SLOT_PAGES || pages * PAGE_BYTES > file.size) malformed('slot pages')
  const indices = new Set<number>()
  // No block belongs to two blobs: whoever asks for more than there are reads one again and again.
  let blocksLeft = Math.ceil(file.size / BLOCK_BYTES)
  const page = Buffer.alloc(PAGE_BYTES)
  for (let number = 0; number < pages; number++) {
    readExactly(file, page, number * PAGE_BYTES)
    for (let at = number === 0 ? HEADER_BYTES : 0; at < PAGE_BYTES; at += SLOT_BYTES) {
      const slot = page.subarray(at, at + SLOT_BYTES)
      if (magic(slot, 0) !== SLOT_MAGIC) malformed('slot')
      const [index, start, blocks] = [word(slot, 1), word(slot, 2), word(slot, 3)]
      // A free slot.
      if (start === 0) continue
      if (index === 0 || indices.has(index)) malformed('two slots of one package')
      indices.add(index)
      blocksLeft -= blocks
      if (blocksLeft < 0) malformed('blobs that overlap')
      yield readBlob(file, index, start, blocks, pages)
    }
  }
}

function readBlob(file: HostFile, index: number, start: number, blocks: number, pages: number): Buffer {
  const bytes = blocks * BLOCK_BYTES
  const isWithin = start * BLOCK_BYTES >= pages * PAGE_BYTES && start * BLOCK_BYTES + bytes <= file.size
  if (!isWithin || bytes > MAX_BLOB_BYTES || bytes < HEAD_BYTES + TAIL_BYTES) malformed('place of a blob')
  const blob = readExactly(file, Buffer.allocUnsafe(bytes), start * BLOCK_BYTES)
  const length = word(blob, 3)
  if (magic(blob, 0) !== HEAD_MAGIC || word(blob, 1) !== index) malformed('head of a blob')
  if (blocks !== Math.ceil((HEAD_BYTES + length + TAIL_BYTES) / BLOCK_BYTES)) malformed('length of a blob')
  const tail = blob.subarray(bytes - TAIL_BYTES)
  if (word(tail, 1) !== length || magic(tail, 8) !== TAIL_MAGIC) malformed('end of a blob')
  return blob.subarray(HEAD_BYTES, HEAD_BYTES + length)
}
