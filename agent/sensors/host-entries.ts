import { lstatSync, opendirSync, statSync, type Dirent, type Stats } from 'node:fs'

/** Who owns a file and what its mode allows. */
export interface Ownership {
  /** Permission bits, with those for set-user-id, set-group-id and the sticky bit. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/**
 * One entry of a directory. Directories are not looked at themselves: behind one may be a network that does not answer.
 * `link`: leads to a regular file, whose ownership this is. `hidden`: a link whose end may not be looked at.
 */
export type HostEntry =
  | { readonly name: string; readonly kind: 'directory' | 'other' | 'hidden' }
  | ({ readonly name: string; readonly kind: 'file' | 'link' } & Ownership)

export interface EntryOptions {
  readonly maxEntries: number
  /** Whether links to files are followed; otherwise they are `other`. */
  readonly followLinks: boolean
  /** By name: what is not wanted is left out before it is looked at. */
  readonly wanted?: (name: string) => boolean
}

export const ownershipOf = ({ mode, uid, gid }: Stats): Ownership => ({ mode: mode & 0o7777, uid, gid })

/**
 * Sorted by name; undefined where there are more than the bound. What vanishes meanwhile is left out.
 *
 * @param directory the directory itself, a byte string
 * @param follow where a link in it leads to
 */
export function readEntriesOf(
  directory: Buffer,
  options: EntryOptions,
  follow: (name: string) => Buffer,
): readonly HostEntry[] | undefined {
  const prefix = `${directory.toString('latin1')}/`
  const found = readTyped(directory, options)
  return found?.flatMap((entry) => entriesOf(entry, prefix, options, follow)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** All of them before one is looked at: a directory with too many costs no more than reading it. */
function readTyped(directory: Buffer, { maxEntries, wanted }: EntryOptions): readonly Dirent[] | undefined {
  const entries: Dirent[] = []
  let seen = 0
  // @types/node does not know that a directory's names can be had as byte strings, nor a path as a Buffer here.
  const open = opendirSync(directory as unknown as string, { encoding: 'latin1', bufferSize: 512 })
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      if (++seen > maxEntries) return undefined
      if (wanted?.(entry.name) !== false) entries.push(entry)
    }
  } finally {
    open.closeSync()
  }
  return entries
}

function entriesOf(
  entry: Dirent,
  prefix: string,
  { followLinks }: EntryOptions,
  follow: (name: string) => Buffer,
): readonly HostEntry[] {
  const { name } = entry
  if (entry.isDirectory()) return [{ name, kind: 'directory' }]
  if (entry.isSymbolicLink()) return [followLinks ? linkEntry(name, follow) : { name, kind: 'other' }]
  if (!entry.isFile() && isOther(entry)) return [{ name, kind: 'other' }]
  // A file, or the file system does not tell the type of its entries, readdir(3).
  const stats = lstatSync(bytes(prefix + name), { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (stats.isFile()) return [{ name, kind: 'file', ...ownershipOf(stats) }]
  if (stats.isSymbolicLink() && followLinks) return [linkEntry(name, follow)]
  return [{ name, kind: stats.isDirectory() ? 'directory' : 'other' }]
}

const isOther = (entry: Dirent): boolean =>
  entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()

/** A path without bytes above ASCII is the same as text, which is cheaper. */
const bytes = (path: string): string | Buffer =>
  Buffer.byteLength(path) === path.length ? path : Buffer.from(path, 'latin1')

function linkEntry(name: string, follow: (name: string) => Buffer): HostEntry {
  try {
    const stats = statSync(follow(name), { throwIfNoEntry: false })
    return stats?.isFile() === true ? { name, kind: 'link', ...ownershipOf(stats) } : { name, kind: 'other' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { name, kind: code === 'EACCES' || code === 'EPERM' ? 'hidden' : 'other' }
  }
}
