import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { MAX_BUNDLE_PAGE_BYTES } from '../../../shared/advisories/bundle.ts'
import { KeepsealError } from '../../../shared/errors.ts'

/** A file of a bundle: a line that says what it is, then its pages, each after its length in 4 bytes, big-endian. */

const MAGIC = Buffer.from('keepseal advisory bundle 1\n')
const LENGTH_BYTES = 4

const unusable = (path: string, why: string, cause?: unknown): KeepsealError =>
  new KeepsealError('file.unreadable', `${path} ${why}`, { cause })

/** Whether a file begins as a bundle does. False for what cannot be read: whoever reads it says so. */
export function isBundleFile(path: string): boolean {
  if (path === '-') return false
  try {
    const file = openSync(path, 'r')
    try {
      return readUpTo(file, MAGIC.length).equals(MAGIC)
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

/** Its pages, one after another. Error: file.unreadable, also where it is cut off. */
export function* readPages(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r')
  try {
    if (!readUpTo(file, MAGIC.length).equals(MAGIC)) throw unusable(path, 'is no bundle')
    for (;;) {
      const length = readUpTo(file, LENGTH_BYTES)
      if (length.length === 0) return
      const size = length.length === LENGTH_BYTES ? length.readUInt32BE(0) : 0
      if (size === 0 || size > MAX_BUNDLE_PAGE_BYTES) throw unusable(path, 'is damaged')
      const page = readUpTo(file, size)
      if (page.length !== size) throw unusable(path, 'is cut off')
      yield page
    }
  } finally {
    closeSync(file)
  }
}

function readUpTo(file: number, size: number): Buffer {
  const buffer = Buffer.alloc(size)
  let length = 0
  for (let n = -1; n !== 0 && length < size; length += n) n = readSync(file, buffer, length, size - length, null)
  return buffer.subarray(0, length)
}

/** Writes a bundle beside where it is to be, and puts it there when it is whole. Error: file.unreadable. */
export async function writePages(
  path: string,
  pages: (write: (page: Uint8Array) => void) => Promise<void>,
): Promise<void> {
  const beside = `${path}.new`
  let file: number
  try {
    file = openSync(beside, 'w', 0o644)
  } catch (cause) {
    throw unusable(beside, 'cannot be written', cause)
  }
  try {
    writeSync(file, MAGIC)
    await pages((page) => {
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32BE(page.length, 0)
      writeSync(file, length)
      for (let at = 0; at < page.length;) at += writeSync(file, page, at)
    })
    fsyncSync(file)
    closeSync(file)
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    if (error instanceof Error && 'syscall' in error) throw unusable(path, 'cannot be written', error)
    throw error
  }
}
