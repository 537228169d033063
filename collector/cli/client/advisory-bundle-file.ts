import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { MAX_BUNDLE_PAGE_BYTES } from '../../../shared/advisories/bundle.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { MAX_KEY_HISTORY_BYTES } from '../../../shared/evidence/key-history.ts'

/**
 * A file of a bundle: a line that says what it is, then its pages, each after its length in 4 bytes, big-endian. Before the
 * pages of version 2 comes, likewise, how the collector got to the key that has signed them (keepseal.cddl, key-history).
 */

const MAGIC = Buffer.from('keepseal advisory bundle 1\n')
const MAGIC_WITH_KEYS = Buffer.from('keepseal advisory bundle 2\n')
const LENGTH_BYTES = 4

const unusable = (path: string, why: string, cause?: unknown): KeepsealError =>
  new KeepsealError('file.unreadable', `${path} ${why}`, { cause })

/** Whether a file begins as a bundle does. False for what cannot be read: whoever reads it says so. */
export function isBundleFile(path: string): boolean {
  if (path === '-') return false
  try {
    const file = openSync(path, 'r')
    try {
      return versionOf(file) !== undefined
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

function versionOf(file: number): 1 | 2 | undefined {
  const line = readUpTo(file, MAGIC.length)
  if (line.equals(MAGIC)) return 1
  return line.equals(MAGIC_WITH_KEYS) ? 2 : undefined
}

/**
 * How the collector got to its key, null where the file does not say, then the pages, one after another. Error:
 * file.unreadable, also where it is cut off.
 */
export function* readBundle(path: string): Generator<Uint8Array | null> {
  const file = openSync(path, 'r')
  try {
    const version = versionOf(file)
    if (version === undefined) throw unusable(path, 'is no bundle')
    const keys = version === 1 ? null : readPart(file, path, MAX_KEY_HISTORY_BYTES)
    if (keys === undefined) throw unusable(path, 'is cut off')
    yield keys
    for (;;) {
      const page = readPart(file, path, MAX_BUNDLE_PAGE_BYTES)
      if (page === undefined) return
      yield page
    }
  } finally {
    closeSync(file)
  }
}

/** undefined at the end of the file. */
function readPart(file: number, path: string, most: number): Uint8Array | undefined {
  const length = readUpTo(file, LENGTH_BYTES)
  if (length.length === 0) return undefined
  const size = length.length === LENGTH_BYTES ? length.readUInt32BE(0) : 0
  if (size === 0 || size > most) throw unusable(path, 'is damaged')
  const part = readUpTo(file, size)
  if (part.length !== size) throw unusable(path, 'is cut off')
  return part
}

function readUpTo(file: number, size: number): Buffer {
  const buffer = Buffer.alloc(size)
  let length = 0
  for (let n = -1; n !== 0 && length < size; length += n) n = readSync(file, buffer, length, size - length, null)
  return buffer.subarray(0, length)
}

/** Writes a bundle beside where it is to be, and puts it there when it is whole. Error: file.unreadable. */
export async function writeBundle(
  path: string,
  keys: Uint8Array | null,
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
    const write = (part: Uint8Array): void => {
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32BE(part.length, 0)
      writeSync(file, length)
      for (let at = 0; at < part.length;) at += writeSync(file, part, at)
    }
    writeSync(file, keys === null ? MAGIC : MAGIC_WITH_KEYS)
    if (keys !== null) write(keys)
    await pages(write)
    fsyncSync(file)
    closeSync(file)
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    if (error instanceof Error && 'syscall' in error) throw unusable(path, 'cannot be written', error)
    throw error
  }
}
