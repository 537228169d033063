import { fromUtf8 } from '../../../shared/bytes/bytes.ts'
import { openBundlePage, type BundledFeed, type OpenedPage } from '../../../shared/advisories/bundle.ts'
import { readBundleLines } from '../../../shared/advisories/bundle-lines.ts'
import { ed25519Key, hash } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { KeyHistory } from '../../../shared/evidence/key-history.ts'
import type { FeedAuthority } from '../../model/advisory.ts'
import type { IncomingBundle } from '../../store/advisory-bundles.ts'
import type { Store } from '../../store/index.ts'
import { inflateZlib } from '../../zlib.ts'
import { settleSize } from '../import.ts'
import { trustedFor, type TrustedSigners } from './signers.ts'

export interface BundleTrust {
  readonly signers: TrustedSigners
  /** How the collector that made it says to have come to its key. */
  readonly keyHistory: KeyHistory | null
  /** Also what is older than what is here, or has lost half of it: somebody wants that. */
  readonly isForced: boolean
}

export interface TakenPage {
  /** As its first page was handed in. */
  readonly isForced: boolean
  readonly pages: number
  /** Thumbprint of the trusted key that led to the one that has signed it. */
  readonly trusted: string
  readonly signer: string
  /** Null: more is to come. */
  readonly feeds: readonly TakenFeed[] | null
}

export interface TakenFeed {
  readonly feed: string
  readonly advisories: number
  readonly before: number
}

/** A bundle that stands still for so long begins anew. */
const UNFINISHED_MS = 6 * 3_600_000

/**
 * Takes the next page of a bundle. Nothing of it counts until the last page is here, and then all of it at once. Errors:
 * advisory.signature-invalid, advisory.malformed, advisory.bundle-older, advisory.feed-shrunk, request.conflict.
 */
export async function takeBundlePage(
  store: Store,
  bytes: Uint8Array,
  trust: BundleTrust,
  clock: () => number,
): Promise<TakenPage> {
  const page = openBundlePage(bytes, { hash, ed25519Key })
  const trusted = await trustedFor(store, page, trust.signers, trust.keyHistory, clock())
  const names = page.feeds.map((feed) => nameHere(feed, trusted))
  const content = contentOf(page)
  if (page.previous === null) await begin(store, page, names, trust, clock)
  return store.transaction(async (transaction) => {
    const bundle = await goneOn(transaction, page)
    const set = bundle.sets[page.feed]
    if (set !== undefined) {
      await transaction.advisories.add(set, content.records, clock())
      await transaction.advisories.addFacts(set, content.facts)
    }
    const { head, index, next, signer } = page
    const { isForced } = bundle
    const taken = { pages: index + 1, isForced, trusted, signer }
    if (next === null) return { ...taken, feeds: await activate(transaction, bundle, page, names, clock) }
    await transaction.advisoryBundles.put({ ...bundle, head, pages: index + 1, next }, clock())
    return { ...taken, feeds: null }
  })
}

/** Those of the maker's own hand are not put in the place of one's own, and stay where they are when its key changes. */
export const nameHere = ({ name }: BundledFeed, trusted: string): string =>
  name === 'own' ? `own-${trusted.slice(0, 8)}` : name

function contentOf(page: OpenedPage) {
  const place = `page ${page.index}`
  const text = inflateZlib(page.content, page.unpacked)
  if (text === undefined || text.length !== page.unpacked) {
    throw new KeepsealError('advisory.malformed', `${place}: its content is damaged`)
  }
  return readBundleLines(fromUtf8(text), place)
}

async function begin(
  store: Store,
  page: OpenedPage,
  names: readonly string[],
  { isForced }: BundleTrust,
  clock: () => number,
): Promise<void> {
  if (page.index !== 0 || page.feed !== 0) throw new KeepsealError('advisory.malformed', 'it is not the first page')
  if (new Set(names).size !== names.length) throw new KeepsealError('advisory.malformed', 'a feed is in it twice')
  if (!isForced) await assertNotOlder(store, page.feeds, names)
  await store.transaction(async (transaction) => {
    await transaction.advisoryBundles.removeBefore(clock() - UNFINISHED_MS)
    const sets: number[] = []
    for (const [index, name] of names.entries()) {
      const known = await transaction.advisorySets.feed(name)
      const authority = (page.feeds[index]?.authority ?? 'other') as FeedAuthority
      // Whose word it is changes when it counts, and not before.
      if (known === undefined) await transaction.advisorySets.declareFeed(name, authority)
      sets.push(await transaction.advisorySets.beginSet(name, clock()))
    }
    const { signer, head } = page
    const next = { feed: 0, after: '' }
    // The first page goes on with itself.
    await transaction.advisoryBundles.put({ id: head, signer, head, pages: 0, next, isForced, sets }, clock())
  })
}

/** Error: advisory.bundle-older. */
async function assertNotOlder(store: Store, feeds: readonly BundledFeed[], names: readonly string[]): Promise<void> {
  for (const [index, { checkedAt }] of feeds.entries()) {
    const name = names[index] ?? ''
    const known = await store.advisorySets.feed(name)
    if (known?.checkedAt !== null && known !== undefined && checkedAt < known.checkedAt) {
      const [bundled, here] = [checkedAt, known.checkedAt].map((ms) => new Date(ms).toISOString())
      throw new KeepsealError('advisory.bundle-older', `${name}: of ${bundled}, here of ${here}`)
    }
  }
}

/** The bundle that this page goes on with, by the same signer. Errors: request.conflict, advisory.malformed. */
async function goneOn(store: Store, page: OpenedPage): Promise<IncomingBundle> {
  const bundle = await store.advisoryBundles.byHead(page.previous ?? page.head)
  if (bundle === undefined) {
    throw new KeepsealError('request.conflict', 'the page before is not the one that came last', {
      remedy: 'Begin with the first page again.',
    })
  }
  const isNext = bundle.signer === page.signer && bundle.pages === page.index && bundle.next.feed === page.feed
  if (!isNext) throw new KeepsealError('advisory.malformed', `page ${page.index} does not follow`)
  return bundle
}

async function activate(
  transaction: Store,
  bundle: IncomingBundle,
  page: OpenedPage,
  names: readonly string[],
  clock: () => number,
): Promise<readonly TakenFeed[]> {
  // Another one may have counted since the first page.
  if (!bundle.isForced) await assertNotOlder(transaction, page.feeds, names)
  const taken: TakenFeed[] = []
  for (const [index, feed] of page.feeds.entries()) {
    const [name, set] = [names[index], bundle.sets[index]]
    if (name === undefined || set === undefined)
      throw new KeepsealError('advisory.malformed', 'other feeds than before')
    const advisories = await transaction.advisorySets.count(set)
    if (advisories !== feed.advisories) {
      throw new KeepsealError('advisory.malformed', `${name}: ${advisories} advisories, not ${feed.advisories}`)
    }
    const before = await transaction.advisorySets.feed(name)
    const had = before?.advisories ?? 0
    await settleSize(transaction, before, { feed: name, advisories, mayShrink: bundle.isForced, now: clock() })
    await transaction.advisorySets.declareFeed(name, feed.authority as FeedAuthority)
    await transaction.advisorySets.markDifferences(set, before?.activeSet ?? null)
    const now = clock()
    const validators = { etag: null, lastModified: null, digest: feed.digest }
    await transaction.advisorySets.activate(name, set, validators, now)
    // As old as it is, and not as young as its way here. A clock that is ahead does not make it younger either.
    const times = { checkedAt: Math.min(feed.checkedAt, now), changedAt: Math.min(feed.changedAt, now) }
    await transaction.advisorySets.setTimes(name, times)
    // Documents of a provider, taken one by one, are another state than this one.
    await transaction.feedFetches.forgetDocuments(name)
    taken.push({ feed: name, advisories, before: had })
  }
  await transaction.advisoryBundles.remove(bundle.id)
  return taken
}
