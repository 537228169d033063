import type { FeedFetch } from '../../model/advisory-fetch.ts'
import type { AdvisoryFeed } from '../../model/advisory.ts'
import type { Store } from '../../store/index.ts'
import { feedFresh, feedStale } from '../../tracking/events.ts'

/** Since when nobody knows what a feed has: one that never came is as old as the wish for it. */
export const lookedAt = (fetch: FeedFetch, feed: AdvisoryFeed | undefined): number =>
  feed?.checkedAt ?? fetch.declaredAt

export const isTooOld = (fetch: FeedFetch, feed: AdvisoryFeed | undefined, now: number): boolean =>
  now - lookedAt(fetch, feed) > fetch.maxAgeMs

/** Tells people once when a feed has become too old, and once when it is up to date again. */
export async function tellOfAge(store: Store, now: number): Promise<void> {
  const feeds = new Map((await store.advisorySets.feeds()).map((one) => [one.id, one]))
  for (const fetch of await store.feedFetches.all()) {
    const { feed, isStale } = fetch
    const isOld = isTooOld(fetch, feeds.get(feed), now)
    if (isOld === isStale) continue
    const event = isOld ? feedStale(feed, lookedAt(fetch, feeds.get(feed)), now) : feedFresh(feed, now)
    await store.transaction(async (transaction) => {
      await transaction.feedFetches.setStale(feed, isOld)
      await transaction.notifications.add(event)
    })
  }
}
