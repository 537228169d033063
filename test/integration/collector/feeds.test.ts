import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openStore } from '../../../collector/store/index.ts'
import { osvRecord } from '../../support/feed-fetching.ts'
import { useFeedServer } from '../../support/feed-server.ts'
import { runCollector } from '../../support/test-collector.ts'
import { zipOfRecords } from '../../support/zip.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepseal-collector-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
const server = useFeedServer()

it('a collector fetches the feeds of its configuration, and ends while one is on its way', async () => {
  server().serve('/all.zip', { body: zipOfRecords([osvRecord('DSA-1', 'zlib', '2')]) })
  server().serve('/slow.zip', { body: Buffer.alloc(1_000_000), drip: { bytes: 1, everyMs: 200 } })
  const of = (name: string) => ({ name, kind: 'osv-zip', url: `${server().url}/${name}.zip` })
  const collector = await runCollector(directory, `advisories.feeds=${JSON.stringify([of('all'), of('slow')])}`)
  const { store, close } = await openStore({ path: join(collector.dataDirectory, 'collector.db') })
  try {
    const taken = async () =>
      expect(await store.advisorySets.feed('all')).toMatchObject({ advisories: 1, problem: null })
    await vi.waitFor(taken, { timeout: 30_000, interval: 200 })
    expect(server().asked.some(({ path }) => path === '/slow.zip')).toBe(true)
    const begun = performance.now()
    await collector.stop()
    expect(performance.now() - begun).toBeLessThan(15_000)
    // It was stopped, and is no fault of the feed.
    expect(await store.feedFetches.byFeed('slow')).toMatchObject({ failures: 0, attempts: 0 })
  } finally {
    await close()
  }
})
