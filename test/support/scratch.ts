import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Where there is memory that looks like a disk: tests that write a thousand files need not wait for a real one. */
function fastestDirectory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/** Gives each call an empty directory, mode 0700; all are removed after the test file. */
export function useScratchDirectories(name: string): () => string {
  const made: string[] = []
  afterAll(() => {
    for (const directory of made) rmSync(directory, { recursive: true, force: true })
  })
  return () => {
    const directory = mkdtempSync(join(fastestDirectory(), `keepseal-${name}-`))
    chmodSync(directory, 0o700)
    made.push(directory)
    return directory
  }
}
