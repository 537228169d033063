import { constants } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KeepsealError } from '../../shared/errors.ts'

/** Secrets on disk: nobody else's to read, and either the old or the new content after a power cut. */

const OTHERS = 0o077

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error

function stateError(path: string, cause: unknown): KeepsealError {
  const full = isSystemError(cause) && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
  return new KeepsealError(full ? 'state.disk-full' : 'state.unreadable', path, { cause })
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeNew(path: string, content: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether there is anything at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (isSystemError(cause) && cause.code === 'ENOENT') return false
    throw stateError(path, cause)
  }
}

/** Throws `state.insecure-permissions` when the directory is open to group or others. */
export async function assertPrivateDirectory(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & OTHERS) === 0) return
  throw new KeepsealError('state.insecure-permissions', path, {
    remedy: 'chmod 700 the directory named in the message.',
  })
}

/** Reads a secret. Throws `state.insecure-permissions` when others may, `state.unreadable` when it is not there. */
export async function readSecretFile(path: string): Promise<Buffer> {
  try {
    const { mode } = await stat(path)
    if ((mode & OTHERS) !== 0) throw new KeepsealError('state.insecure-permissions', path)
    return await readFile(path)
  } catch (cause) {
    throw cause instanceof KeepsealError ? cause : stateError(path, cause)
  }
}

/** Replaces `path`, mode 0600, in one step. */
export async function replaceSecretFile(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  try {
    await rm(temporary, { force: true })
    await writeNew(temporary, content)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    throw stateError(path, cause)
  }
}

/**
 * Makes the directory `path` (mode 0700) with these files (0600) in one step: afterwards there are all of them or
 * none. False when another process made it in the meantime.
 */
export async function createSecretDirectory(path: string, files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  const parent = dirname(path)
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    const temporary = await mkdtemp(join(parent, `.${basename(path)}-`))
    try {
      for (const [name, content] of files) await writeNew(join(temporary, name), content)
      await syncDirectory(temporary)
      // Fails where the target exists and is not empty.
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      if (isSystemError(error) && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')) return false
      throw error
    }
    await syncDirectory(parent)
    return true
  } catch (cause) {
    throw stateError(path, cause)
  }
}
