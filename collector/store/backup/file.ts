import { constants, copyFileSync } from 'node:fs'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KeepsealError } from '../../../shared/errors.ts'

const failure = (path: string, cause: unknown): KeepsealError => {
  if (cause instanceof KeepsealError) return cause
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EEXIST') return new KeepsealError('state.not-empty', path)
  return new KeepsealError(code === 'ENOSPC' ? 'state.disk-full' : 'state.unwritable', path, { cause })
}

/**
 * Makes a file that nobody else can read, whole or not at all: `write` fills a new one beside it, which takes the name
 * when it is on the disk. Errors: state.not-empty where the file exists, state.unwritable, state.disk-full.
 */
export async function makePrivateFile(
  path: string,
  write: (temporary: string, handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.new`
  try {
    if (await exists(path)) throw new KeepsealError('state.not-empty', path)
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await write(temporary, handle)
      await sync(temporary)
      await rename(temporary, path)
      await sync(dirname(path))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw failure(path, cause)
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false
      throw failure(path, cause)
    },
  )
}

/** Over a file that is there already, and keeps its mode. */
export function copyOver(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What kind of backup a file is, by its first bytes. Error: file.unreadable. */
export async function kindOfBackup(path: string): Promise<'sqlite' | 'postgresql' | undefined> {
  try {
    const handle = await open(path, 'r')
    try {
      const head = Buffer.alloc(16)
      await handle.read(head, 0, 16, 0)
      if (head.toString('latin1') === 'SQLite format 3\0') return 'sqlite'
      return head.subarray(0, 5).toString('latin1') === 'PGDMP' ? 'postgresql' : undefined
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new KeepsealError('file.unreadable', path, { cause })
  }
}
