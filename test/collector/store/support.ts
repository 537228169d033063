import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe } from 'vitest'
import { openStore, type OpenStore, type Store } from '../../../collector/store/index.ts'

/** A database that the repository tests run on: a fresh, migrated one for each test. */
interface Backend {
  readonly name: string
  readonly open: () => Promise<OpenStore>
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

const backends: readonly Backend[] = [sqlite]

/** `body` declares tests; `createStore` gives the store of the test that runs, empty at its beginning. */
export function describeStore(title: string, body: (createStore: () => Store) => void): void {
  for (const backend of backends) {
    describe(`${title} (${backend.name})`, () => {
      let opened: OpenStore | undefined
      beforeEach(async () => {
        opened = await backend.open()
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
}
