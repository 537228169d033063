import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { MEMORY } from './memory.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly webFleets: string
  }
}

/** Before the integration tests: where the fleet is kept that the browser tests share. It is filled by whoever needs it. */
export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(MEMORY, 'keepseal-fleets-'))
  provide('webFleets', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
