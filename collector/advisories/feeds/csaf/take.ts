import { rm } from 'node:fs/promises'
import type { AdvisoryRecord } from '../../../../shared/advisories/record.ts'
import type { AdvisoryDocument } from '../../../model/advisory-fetch.ts'
import type { WrongRecord } from '../../../model/advisory.ts'
import type { Store } from '../../../store/index.ts'
import { assertNotShrunk, importFeed, replaceAdvisories, type Batch } from '../../import.ts'
import { assertFewWrong, assertNotTooManyWrong } from '../../wrong.ts'
import type { Feed } from '../feed.ts'
import type { Visit } from '../request.ts'
import type { FetchedDocument } from './documents.ts'
import type { ListedDocument } from './listing.ts'
import { fetchDocuments, listProvider } from './provider.ts'

const BATCH = 1000

interface Provider {
  readonly store: Store
  readonly clock: () => number
  readonly feed: Feed
  /** Of this feed alone: what was fetched and is not taken yet. */
  readonly directory: string
  readonly visit: Visit
  readonly mayShrink: boolean
}

/**
 * Brings what is known of a CSAF provider up to date: everything at first, then what was added, changed or removed, all of
 * that at once or nothing. Errors: advisory.*.
 */
export async function takeProvider(provider: Provider): Promise<'unchanged' | 'changed'> {
  const { store, feed, clock, directory, mayShrink } = provider
  const listing = await listProvider(feed, directory, provider.visit)
  const known = new Map((await store.feedFetches.documents(feed.name)).map((one) => [one.url, one]))
  const before = await store.advisorySets.feed(feed.name)
  // Of these the listing does not tell when they were changed: each is asked for.
  const isDateless = listing.documents.some(({ updated }) => updated === '')
  if (before?.digest === listing.digest && known.size === listing.documents.length && !isDateless) {
    await store.advisorySets.checked(feed.name, clock())
    return 'unchanged'
  }
  if (!mayShrink) assertNotShrunk(feed.name, listing.documents.length, known.size)
  const validators = { etag: null, lastModified: null, digest: listing.digest }
  const activeSet = before?.activeSet ?? null
  const isFirst = known.size === 0 || activeSet === null
  const wanted = isFirst
    ? listing.documents
    : listing.documents.filter((one) => one.updated === '' || known.get(one.url)?.updated !== one.updated)
  const fetched = fetchDocuments(feed, wanted, directory, listing.visit, undefined, isFirst ? undefined : known)
  const taken: AdvisoryDocument[] = []
  if (isFirst) {
    const batches = batchesOf(fetched.documents, taken)
    const beside = (transaction: Store): Promise<void> => transaction.feedFetches.addDocuments(feed.name, taken)
    await importFeed(
      store,
      { feed: feed.name, authority: feed.authority, batches, validators, mayShrink, beside },
      clock,
    )
  } else {
    const [records, wrong]: [AdvisoryRecord[], WrongRecord[]] = [[], []]
    for await (const batch of batchesOf(fetched.documents, taken)) {
      if (!('records' in batch)) continue
      records.push(...batch.records)
      wrong.push(...(batch.wrong ?? []))
      assertNotTooManyWrong(wrong)
    }
    const removed = removedFrom(known, listing.documents, taken)
    const places = new Set((await store.wrongRecords.ofSet(activeSet)).map(({ place }) => place))
    const isAsWrong = wrong.length === places.size && wrong.every(({ place }) => places.has(place))
    if (taken.length + removed.urls.length === 0 && isAsWrong) {
      await store.advisorySets.checked(feed.name, clock())
      await rm(directory, { recursive: true, force: true })
      return 'unchanged'
    }
    const looked = { asked: wanted.map(({ url }) => url), listed: listing.documents, wrong }
    const replacement = { remove: removed.advisories, add: records, validators, mayShrink }
    await replaceAdvisories(store, feed.name, replacement, clock(), async (transaction, set) => {
      await transaction.feedFetches.removeDocuments(feed.name, removed.urls)
      await transaction.feedFetches.addDocuments(feed.name, taken)
      await settleWrong(transaction, set, looked)
    })
  }
  const signature = fetched.signature()
  // Signed is what all of it is: what was taken earlier counts too.
  const earlier = (await store.feedFetches.byFeed(feed.name))?.signature
  await store.feedFetches.setSignature(feed.name, isFirst || earlier === 'checked' ? signature : 'not-checked')
  await rm(directory, { recursive: true, force: true })
  return 'changed'
}

interface LookedAt {
  /** Addresses of documents that were fetched now. */
  readonly asked: readonly string[]
  readonly listed: readonly ListedDocument[]
  readonly wrong: readonly WrongRecord[]
}

/** What is wrong with documents is so until they are fetched again, or there no more. Error: that of one, where they are many. */
async function settleWrong({ wrongRecords }: Store, set: number, { asked, listed, wrong }: LookedAt): Promise<void> {
  const there = new Set(listed.map(({ url }) => url))
  const gone = (await wrongRecords.ofSet(set)).map(({ place }) => place).filter((place) => !there.has(place))
  await wrongRecords.forget(set, [...asked, ...gone])
  await wrongRecords.put(set, wrong)
  assertFewWrong(await wrongRecords.ofSet(set), listed.length)
}

/** Writes down in `taken` what each document brought. Of one that is wrong what was taken before stays. */
async function* batchesOf(documents: AsyncIterable<FetchedDocument>, taken: AdvisoryDocument[]): AsyncGenerator<Batch> {
  let [gathered, wrong]: [AdvisoryRecord[], WrongRecord[]] = [[], []]
  for await (const { listed, records, isUnchanged, wrong: fault, validators } of documents) {
    if (fault !== null) wrong.push(fault)
    else if (!isUnchanged) {
      const advisories = [...new Set(records.map(({ id }) => id))]
      taken.push({ url: listed.url, updated: listed.updated, advisories, ...validators })
      gathered.push(...records)
    }
    if (gathered.length < BATCH) continue
    yield { records: gathered, wrong }
    ;[gathered, wrong] = [[], []]
  }
  yield { records: gathered, wrong }
}

/** Documents that are there no more, or came anew, and what they had brought. */
function removedFrom(
  known: ReadonlyMap<string, AdvisoryDocument>,
  listed: readonly ListedDocument[],
  taken: readonly AdvisoryDocument[],
): { readonly urls: readonly string[]; readonly advisories: readonly string[] } {
  const there = new Set(listed.map(({ url }) => url))
  const anew = new Set(taken.map(({ url }) => url))
  const gone = [...known.values()].filter(({ url }) => !there.has(url) || anew.has(url))
  return { urls: gone.map(({ url }) => url), advisories: [...new Set(gone.flatMap(({ advisories }) => advisories))] }
}
