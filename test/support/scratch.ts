import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Gives each call an empty directory, mode 0700; all are removed after the test file. */
export function useScratchDirectories(name: string): () => string {
  const made: string[] = []
  afterAll(() => {
    for (const directory of made) rmSync(directory, { recursive: true, force: true })
  })
  return () => {
    const directory = mkdtempSync(join(tmpdir(), `keepseal-${name}-`))
    chmodSync(directory, 0o700)
    made.push(directory)
    return directory
  }
}
