import { bundlePage } from '../../collector/advisories/bundle/export.ts'
import type { Store } from '../../collector/store/index.ts'
import type { CollectorKeys } from '../../collector/trust/keys.ts'
import { openBundlePage, stateOfFeeds, type OpenedPage } from '../../shared/advisories/bundle.ts'
import { ed25519Key, hash } from '../../shared/crypto/node.ts'

/** All pages of a bundle of what a store knows, as a client gets them one by one. */
export async function pagesOf(
  store: Store,
  keys: Pick<CollectorKeys, 'signer' | 'publicKey'>,
): Promise<readonly Uint8Array[]> {
  const pages: Uint8Array[] = []
  let last: OpenedPage | undefined
  do {
    const bytes = await bundlePage(store, keys, {
      index: pages.length,
      cursor: last?.next ?? { feed: 0, after: '' },
      previous: last?.head ?? null,
      state: last === undefined ? null : stateOfFeeds(last.feeds, hash),
    })
    pages.push(bytes)
    last = openBundlePage(bytes, { hash, ed25519Key })
  } while (last.next !== null)
  return pages
}
