import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { FeedClerk } from '../../collector/advisories/feeds/clerk.ts'
import { feedOf, type WrittenFeed } from '../../collector/advisories/feeds/feed.ts'
import type { FeedFetch } from '../../collector/model/advisory-fetch.ts'
import type { AdvisoryFeed } from '../../collector/model/advisory.ts'
import type { Store } from '../../collector/store/index.ts'
import { SILENT } from './test-collector.ts'

/** A record of OSV about one package of Debian 12. */
export const osvRecord = (id: string, name: string, fixed: string, more: object = {}) => ({
  id,
  published: '2026-01-01T00:00:00Z',
  modified: '2026-01-02T00:00:00Z',
  aliases: [`CVE-2026-${1000 + Number(/\d+$/.exec(id)?.[0] ?? 0)}`],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  ...more,
})

export interface Fetching {
  readonly store: Store
  /** ms since 1970. */
  now: number
  /** Fetches what is due now, and waits for it. */
  look(): Promise<void>
  /** Has it fetched whatever the time is. */
  fetch(feed: string, mayShrink?: boolean): Promise<Standing>
  standing(feed: string): Promise<Standing>
  ids(): Promise<readonly string[]>
  /** `kind code` of what people were told. */
  told(): Promise<readonly string[]>
}

export interface Standing extends AdvisoryFeed {
  readonly fetch: FeedFetch
  readonly code: string | null
}

/** Clerks that fetch into a store as the collector does, with a clock that stands still until a test moves it. */
export function useFetching(
  createStore: () => Store,
): (feeds: readonly WrittenFeed[], over?: { readonly idleMs?: number; readonly wholeMs?: number }) => Fetching {
  let directory = ''
  const clerks: FeedClerk[] = []
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-feeds-'))
  })
  afterEach(async () => {
    for (const clerk of clerks.splice(0)) await clerk.stop()
    rmSync(directory, { recursive: true })
  })
  return (feeds, { idleMs = 5_000, wholeMs = 20_000 } = {}) => {
    const store = createStore()
    const clerk = new FeedClerk({
      store,
      feeds: feeds.map(feedOf),
      clock: () => fetching.now,
      logger: SILENT,
      isLeader: async () => true,
      directory,
      idleMs,
      wholeMs,
      proxy: '',
      chance: () => 0,
    })
    clerks.push(clerk)
    const look = async (): Promise<void> => {
      await clerk.look()
      await clerk.settled()
    }
    const standing = async (feed: string): Promise<Standing> => {
      const [known, fetch] = [await store.advisorySets.feed(feed), await store.feedFetches.byFeed(feed)]
      if (known === undefined || fetch === undefined) throw new Error(`no feed ${feed}`)
      return { ...known, fetch, code: known.problem?.code ?? null }
    }
    const fetching: Fetching = {
      store,
      now: Date.UTC(2026, 5, 1),
      look,
      standing,
      fetch: async (feed, mayShrink = false) => {
        await store.feedFetches.request(feed, mayShrink)
        await look()
        return standing(feed)
      },
      ids: async () => (await store.advisories.list({ limit: 500 })).items.map(({ id }) => id),
      told: async () =>
        (await store.notifications.undispatched(100)).map(({ kind, code }) => `${kind} ${code ?? ''}`.trim()),
    }
    return fetching
  }
}
