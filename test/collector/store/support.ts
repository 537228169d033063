import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe } from 'vitest'
import { openStore, type OpenStore, type Store } from '../../../collector/store/index.ts'

/** A database that the repository tests run on: a fresh, migrated one for each test. */
export interface Backend {
  readonly name: string
  readonly open: () => Promise<OpenStore>
  /** What it needs is not here; its name says so. */
  readonly skipped?: boolean
}

const sqlite: Backend = {
  name: 'SQLite',
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-store-'))
    const opened = await openStore({ path: join(directory, 'collector.db') })
    return {
      store: opened.store,
      close: async () => {
        await opened.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
}

let backend = sqlite

/** The suites that are imported after this run on another database. */
export function useBackend(other: Backend): void {
  backend = other
}

/** `body` declares tests; `createStore` gives the store of the test that runs, empty at its beginning. */
export function describeStore(title: string, body: (createStore: () => Store) => void): void {
  const { name, open, skipped = false } = backend
  describe.skipIf(skipped)(`${title} (${name})`, () => {
    let opened: OpenStore | undefined
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened?.close()
      opened = undefined
    })
    body(() => {
      if (opened === undefined) throw new Error('only within a test')
      return opened.store
    })
  })
}
