import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readlink, rename, rm, stat, symlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KeepsealError } from '../../shared/errors.ts'

/** Files that must survive a power cut, whole or not at all, and that nobody else may read. */

const OTHERS = 0o077

/** Ends the name of a file that is being written. What bears it after a crash is garbage. */
export const TEMPORARY_SUFFIX = '.new'

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error

export const isAbsent = (error: unknown): boolean => isSystemError(error) && error.code === 'ENOENT'

/** What went wrong in writing, as an operator sees it: `state.disk-full` or `state.unwritable`. */
export function writeFailure(path: string, cause: unknown): KeepsealError {
  if (cause instanceof KeepsealError) return cause
  const full = isSystemError(cause) && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
  if (full) return new KeepsealError('state.disk-full', path, { cause })
  return new KeepsealError('state.unwritable', cause instanceof Error ? cause.message : path, { cause })
}

/** Makes durable what was created, renamed or removed in a directory. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * An administrator runs commands as root in a directory that belongs to the service's user. What they leave there
 * has to belong to that user, or the service could not read its own identity.
 */
async function giveToOwner(handle: FileHandle, directory: string): Promise<void> {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = await stat(directory)
  if (uid !== 0) await handle.chown(uid, gid)
}

async function writeNew(path: string, content: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await giveToOwner(handle, dirname(path))
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces `path`, mode 0600, in one step: after a power cut there is the old content or the new one. The caller
 * writes to one path one after another. Throws `state.disk-full` or `state.unwritable`, and then nothing is changed.
 */
export async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}${TEMPORARY_SUFFIX}`
  try {
    await rm(temporary, { force: true })
    await writeNew(temporary, content)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw writeFailure(path, cause)
  }
}

/** Throws `state.insecure-permissions` when group or others have any right to it. */
function assertPrivate(path: string, mode: number, kind: 'file' | 'directory'): void {
  if ((mode & OTHERS) === 0) return
  const remedy = `chmod ${kind === 'file' ? '600' : '700'} the ${kind} named in the message.`
  throw new KeepsealError('state.insecure-permissions', path, { remedy })
}

/** Makes the directory, mode 0700, where it does not exist. Throws `state.insecure-permissions`, or as writing does. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 })
    if (made !== undefined) await handOver(path)
  } catch (cause) {
    throw writeFailure(path, cause)
  }
  await assertPrivateDirectory(path)
}

async function handOver(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await giveToOwner(handle, dirname(directory))
  } finally {
    await handle.close()
  }
  await syncDirectory(dirname(directory))
}

/** Throws `state.insecure-permissions`, and `state.unreadable` where there is no such directory. */
export async function assertPrivateDirectory(path: string): Promise<void> {
  try {
    const entry = await stat(path)
    if (!entry.isDirectory()) throw new KeepsealError('state.unreadable', `${path} is not a directory`)
    assertPrivate(path, entry.mode, 'directory')
  } catch (cause) {
    throw cause instanceof KeepsealError ? cause : new KeepsealError('state.unreadable', path, { cause })
  }
}

/**
 * The content of a private file, or undefined where there is none. Throws `state.insecure-permissions`, and
 * `state.unreadable` when it cannot be read or has more than `maxBytes`.
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw new KeepsealError('state.unreadable', path, { cause })
  }
  try {
    const entry = await handle.stat()
    if (!entry.isFile()) throw new KeepsealError('state.unreadable', `${path} is not a file`)
    assertPrivate(path, entry.mode, 'file')
    if (entry.size > maxBytes) throw new KeepsealError('state.unreadable', `${path} has ${entry.size} bytes`)
    return new Uint8Array(await handle.readFile())
  } catch (cause) {
    throw cause instanceof KeepsealError ? cause : new KeepsealError('state.unreadable', path, { cause })
  } finally {
    await handle.close()
  }
}

/**
 * Makes a directory of these files beside `link`, and lets the symbolic link `link` point to it: in one step from
 * none, or from all the old files, to all the new ones. Throws as writing does, and then nothing is changed.
 */
export async function switchDirectory(link: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const parent = dirname(link)
  const directory = join(parent, `${basename(link)}-${randomUUID()}`)
  const temporary = `${link}${TEMPORARY_SUFFIX}`
  try {
    await mkdir(directory, { mode: 0o700 })
    await handOver(directory)
    for (const [name, content] of files) await writeNew(join(directory, name), content)
    await syncDirectory(directory)
    await rm(temporary, { force: true })
    await symlink(basename(directory), temporary)
    await rename(temporary, link)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    await rm(directory, { recursive: true, force: true }).catch(() => undefined)
    throw writeFailure(link, cause)
  }
  // From here on the new directory is in force, and must not be taken away again.
  await syncDirectory(parent).catch((cause: unknown) => {
    throw writeFailure(link, cause)
  })
}

/** The name of the directory that the link points to, or undefined where there is no link. */
export async function currentDirectory(link: string): Promise<string | undefined> {
  try {
    await lstat(link)
    return basename(await readlink(link))
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw new KeepsealError('state.unreadable', link, { cause })
  }
}
