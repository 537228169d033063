import { readdir, rename, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KeepsealError } from '../../shared/errors.ts'
import { createSecretDirectory, exists } from './key-files.ts'

/** Holds the new files of a rotation, all of them, from the moment on that it is decided. */
const DIRECTORY = 'rotation'

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/**
 * Replaces several files of the keys in one step: after a power cut there are the old ones, or whoever reads the keys
 * next finishes what was begun. Throws `request.conflict` while another rotation is under way, `state.disk-full`.
 */
export async function replaceTogether(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await finishRotation(directory)
  if (!(await createSecretDirectory(join(directory, DIRECTORY), files))) {
    throw new KeepsealError('request.conflict', 'another rotation is under way')
  }
  await finishRotation(directory)
}

/** Each step may be done twice, and by two processes side by side. */
export async function finishRotation(directory: string): Promise<void> {
  const begun = join(directory, DIRECTORY)
  if (!(await exists(begun))) return
  try {
    for (const name of await readdir(begun)) {
      await rename(join(begun, name), join(directory, name)).catch((error: unknown) => {
        if (!isAbsent(error)) throw error
      })
    }
    await rmdir(begun)
  } catch (cause) {
    if (!isAbsent(cause)) throw new KeepsealError('state.unreadable', begun, { cause })
  }
}
