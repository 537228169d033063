import { describe, expect, it } from 'vitest'
import { FeedClerk } from '../../../collector/advisories/feeds/clerk.ts'
import { feedOf } from '../../../collector/advisories/feeds/feed.ts'
import { useFeedServer } from '../../support/feed-server.ts'
import { osvRecord } from '../../support/feed-fetching.ts'
import { SILENT } from '../../support/test-collector.ts'
import { zipOfRecords } from '../../support/zip.ts'
import { NOW } from '../store/samples.ts'
import { useCollector } from './support.ts'

describe('keepseal advisory feeds and fetch', () => {
  const collector = useCollector()
  const server = useFeedServer()

  /** A clerk that looks as often as one wants to wait in a test. */
  async function whileFetching<T>(action: () => Promise<T>): Promise<T> {
    const { store, directory } = collector()
    const clerk = new FeedClerk({
      store,
      feeds: [feedOf({ name: 'debian', kind: 'osv-zip', url: `${server().url}/all.zip` })],
      clock: () => NOW,
      logger: SILENT,
      isLeader: async () => true,
      directory,
      idleMs: 5_000,
      wholeMs: 5_000,
      proxy: '',
      chance: () => 0,
    })
    await clerk.look()
    await clerk.settled()
    const timer = setInterval(() => void clerk.look().catch(() => undefined), 50)
    try {
      return await action()
    } finally {
      clearInterval(timer)
      await clerk.stop()
    }
  }

  it('shows what came when, and what is wrong with it', async () => {
    const { run } = collector()
    expect((await run('auditor', 'advisory', 'feeds')).stdout).toContain('No feed')
    expect((await run('vendor', 'advisory', 'fetch')).stdout).toContain('fetches no feed')
    const records = ['DSA-1', 'DSA-2'].map((id) => osvRecord(id, 'zlib', '2'))
    server().serve('/all.zip', { body: zipOfRecords(records) })
    await whileFetching(async () => {
      const good = await run('vendor', 'advisory', 'fetch', 'debian')
      expect(good).toMatchObject({ code: 0 })
      expect(good.stdout).toMatch(/debian +distribution +2 +\d{4}/)
      server().serve('/all.zip', { body: zipOfRecords(records.slice(1)) })
      const refused = await run('operator', 'advisory', 'fetch')
      expect(refused).toMatchObject({ code: 1 })
      expect(refused.stdout.replace(/\s+/g, ' ')).toContain('advisory.feed-shrunk: debian: 1 of 2')
      const feeds = await run('auditor', 'advisory', 'feeds')
      expect(feeds).toMatchObject({ code: 1 })
      for (const { stdout } of [good, refused, feeds]) {
        expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
      }
      const json = await run('auditor', 'advisory', 'feeds', '--json')
      expect(JSON.parse(json.stdout)).toMatchObject({
        items: [{ feed: 'debian', advisories: 2, problem: { code: 'advisory.feed-shrunk' }, fetch: { failures: 1 } }],
      })
      const accepted = await run('vendor', 'advisory', 'fetch', 'debian', '--accept-shrunk', '--json')
      expect(accepted).toMatchObject({ code: 0 })
      expect(JSON.parse(accepted.stdout)).toMatchObject({ pending: [], items: [{ advisories: 1, problem: null }] })
    })
    // One of many is wrong: it is left out, by name.
    const many = Array.from({ length: 30 }, (_, index) => osvRecord(`DSA-${index + 1}`, 'zlib', '2'))
    const [first, ...others] = many
    server().serve('/all.zip', { body: zipOfRecords([{ ...first, modified: 'never' } as never, ...others]) })
    await whileFetching(async () => {
      const fetched = await run('vendor', 'advisory', 'fetch', 'debian')
      expect(fetched).toMatchObject({ code: 1 })
      expect(fetched.stdout.replace(/\s+/g, ' ')).toContain('1 record left out')
      const wrong = await run('auditor', 'advisory', 'wrong', 'debian')
      expect(wrong).toMatchObject({ code: 1 })
      expect(wrong.stdout).toContain('DSA-1.json (DSA-1)')
      for (const { stdout } of [fetched, wrong]) {
        expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
      }
      server().serve('/all.zip', { body: zipOfRecords(many) })
      expect(await run('vendor', 'advisory', 'fetch', 'debian')).toMatchObject({ code: 0 })
      expect(await run('auditor', 'advisory', 'wrong', 'debian')).toMatchObject({ code: 0 })
    })
    // Nobody fetches now.
    expect(await run('vendor', 'advisory', 'fetch', '--wait', '0')).toMatchObject({ code: 3 })
    expect(await run('vendor', 'advisory', 'fetch', '--accept-shrunk')).toMatchObject({ code: 2 })
    expect(await run('vendor', 'advisory', 'fetch', 'other')).toMatchObject({ code: 1 })
    expect(await run('auditor', 'advisory', 'fetch', 'debian')).toMatchObject({ code: 4 })
  })
})
