import { single, type Measurement } from '../../../shared/maturity/conformity/sample.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import type { Store } from '../../store/index.ts'

/**
 * How old what is known is: of several feeds the one that was looked at longest ago, since a feed that is dead hides
 * behind one that lives; one that never came, since it was wished for. Without any feed of others what people have recorded counts. As long as something is known that
 * devices were not compared with, they were compared with what was known before.
 */
export async function measureFeeds(store: Store, now: number): Promise<readonly (readonly [SignalId, Measurement])[]> {
  const feeds = (await store.advisorySets.feeds()).filter(({ authority }) => authority !== 'own')
  const fetches = new Map((await store.feedFetches.all()).map((one) => [one.feed, one]))
  const checked = feeds.flatMap(({ id, checkedAt }) => checkedAt ?? fetches.get(id)?.declaredAt ?? [])
  if (checked.length === 0) return []
  const age = single(Math.max(0, now - Math.min(...checked)))
  const isPending = (await store.exposures.changedPackages(1)).length > 0
  return [['awareness.feed-age', age], ...(isPending ? [] : [['vulnerability.matching-age', age] as const])]
}
