import { cvesOf } from '../../shared/advisories/aliases.ts'
import type { AdvisoryRecord } from '../../shared/advisories/record.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { AdvisoryFeed, FeedAuthority, WrongRecord } from '../model/advisory.ts'
import type { VulnerabilityFact } from '../store/advisories.ts'
import type { Store } from '../store/index.ts'
import { assertFewWrong, assertNotTooManyWrong } from './wrong.ts'

/** Records of one transaction: others have their turn between two. */
const BATCH = 2000

/** What a feed brought, or some of it. */
export type Batch =
  | { readonly records: readonly AdvisoryRecord[]; readonly wrong?: readonly WrongRecord[] }
  | { readonly facts: readonly VulnerabilityFact[] }

export interface WholeFeed {
  readonly feed: string
  readonly authority: FeedAuthority
  readonly batches: AsyncIterable<Batch> | Iterable<Batch>
  /** Of HTTP, and the SHA-256 of the bytes. */
  readonly validators?: Pick<AdvisoryFeed, 'etag' | 'lastModified' | 'digest'>
  /** It may have lost half of what it had: a person has looked. */
  readonly mayShrink?: boolean
  /** What else changes at the moment from which it counts. */
  readonly beside?: (transaction: Store) => Promise<void>
}

export interface Imported {
  readonly advisories: number
  readonly before: number
}

const NO_VALIDATORS = { etag: null, lastModified: null, digest: null }

const toAdd = (record: AdvisoryRecord) => ({ record, cves: cvesOf(record) })

/**
 * Puts all that a feed has now in the place of all that it had: beside it first, then at once. Where anything is wrong
 * with it, or half of it is gone, what was there stays. Of a few records that are wrong what was known of them stays, and
 * the rest counts. Errors: advisory.feed-shrunk and what the parsers throw.
 */
export async function importFeed(store: Store, whole: WholeFeed, clock: () => number): Promise<Imported> {
  const { feed, authority } = whole
  await store.advisorySets.declareFeed(feed, authority)
  const set = await store.advisorySets.beginSet(feed, clock())
  try {
    const wrong: WrongRecord[] = []
    for await (const batch of whole.batches) {
      await addBatch(store, set, batch, clock())
      if ('records' in batch) wrong.push(...(batch.wrong ?? []))
      assertNotTooManyWrong(wrong)
    }
    return await activateWhole(store, set, whole, wrong, clock)
  } catch (error) {
    // It is removed with other sets that count no more.
    await store.advisorySets.abandon(set).catch(() => undefined)
    throw error
  }
}

function activateWhole(
  store: Store,
  set: number,
  { feed, mayShrink = false, validators = NO_VALIDATORS, beside }: WholeFeed,
  wrong: readonly WrongRecord[],
  clock: () => number,
): Promise<Imported> {
  return store.transaction(async (transaction) => {
    const { advisorySets, wrongRecords } = transaction
    const before = await advisorySets.feed(feed)
    const activeSet = before?.activeSet ?? null
    assertFewWrong(wrong, (await advisorySets.count(set)) + wrong.length)
    for (const one of wrong) if (activeSet !== null) await wrongRecords.keep(set, activeSet, one)
    await wrongRecords.put(set, wrong)
    const advisories = await advisorySets.count(set)
    const now = clock()
    await settleSize(transaction, before, { feed, advisories, mayShrink, now })
    await advisorySets.markDifferences(set, activeSet)
    await beside?.(transaction)
    await advisorySets.activate(feed, set, validators, now)
    return { advisories, before: before?.advisories ?? 0 }
  })
}

/** A feed is compared for so long with what it had at its largest. */
const REMEMBERED_MS = 30 * 86_400_000

interface NewSize {
  readonly feed: string
  readonly advisories: number
  readonly mayShrink: boolean
  readonly now: number
}

/**
 * A feed that loses less than half each time has lost half of it at some time all the same: it is compared with the most
 * that it had of late, or has had since somebody has taken less. Error: advisory.feed-shrunk.
 */
export async function settleSize(
  { advisorySets }: Store,
  before: AdvisoryFeed | undefined,
  { feed, advisories, mayShrink, now }: NewSize,
): Promise<void> {
  const had = before?.advisories ?? 0
  const { largest = null } = before ?? {}
  const isRecent = largest !== null && largest.at > now - REMEMBERED_MS
  const most = isRecent ? Math.max(largest.advisories, had) : had
  if (!mayShrink) assertNotShrunk(feed, advisories, most)
  if (mayShrink || advisories >= most) await advisorySets.setLargest(feed, { advisories, at: now })
  else if (!isRecent) await advisorySets.setLargest(feed, { advisories: most, at: now })
}

/** Error: advisory.feed-shrunk, where half of it is gone or more. */
export function assertNotShrunk(feed: string, now: number, before: number): void {
  if (before > 0 && now * 2 <= before) throw new KeepsealError('advisory.feed-shrunk', `${feed}: ${now} of ${before}`)
}

async function addBatch(store: Store, set: number, batch: Batch, now: number): Promise<void> {
  if ('facts' in batch) {
    for (let at = 0; at < batch.facts.length; at += BATCH) {
      const some = batch.facts.slice(at, at + BATCH)
      await store.transaction((transaction) => transaction.advisories.addFacts(set, some))
    }
    return
  }
  for (let at = 0; at < batch.records.length; at += BATCH) {
    const some = batch.records.slice(at, at + BATCH).map(toAdd)
    await store.transaction((transaction) => transaction.advisories.add(set, some, now))
  }
}

/**
 * Adds single advisories to those that a feed has, each in the place of the one of its name. All of them or none.
 */
export function addAdvisories(
  store: Store,
  feed: string,
  authority: FeedAuthority,
  records: readonly AdvisoryRecord[],
  now: number,
): Promise<Imported> {
  return store.transaction(async (transaction) => {
    await transaction.advisorySets.declareFeed(feed, authority)
    return replaceAdvisories(transaction, feed, { remove: [], add: records, validators: NO_VALIDATORS }, now)
  })
}

interface Replacement {
  readonly remove: readonly string[]
  readonly add: readonly AdvisoryRecord[]
  readonly validators: NonNullable<WholeFeed['validators']>
  /** It may have lost half of what it had; absent: nobody asks how much there is. */
  readonly mayShrink?: boolean
}

/** The same for a feed that exists, where others go away with it. `beside`: what else changes at the same moment. */
export function replaceAdvisories(
  store: Store,
  feed: string,
  { remove, add, validators, mayShrink }: Replacement,
  now: number,
  beside?: (transaction: Store, set: number) => Promise<void>,
): Promise<Imported> {
  return store.transaction(async (transaction) => {
    const before = await transaction.advisorySets.feed(feed)
    const set = before?.activeSet ?? (await transaction.advisorySets.beginSet(feed, now))
    const added = new Set(add.map(({ id }) => id))
    const ids = [...new Set([...remove, ...added])]
    // What was said of packages that it says nothing of any more changes too.
    await transaction.advisorySets.markChanged(set, ids)
    await transaction.advisorySets.removeFrom(set, ids)
    await transaction.advisories.add(set, add.map(toAdd), now)
    await transaction.advisorySets.markChanged(set, ids)
    await beside?.(transaction, set)
    const advisories = await transaction.advisorySets.count(set)
    if (mayShrink !== undefined) await settleSize(transaction, before, { feed, advisories, mayShrink, now })
    await transaction.advisorySets.activate(feed, set, validators, now)
    return { advisories: added.size, before: before?.advisories ?? 0 }
  })
}

/**
 * Puts a catalogue of exploited vulnerabilities or of estimates in the place of the one that a feed had. Errors:
 * request.conflict where the feed has advisories, advisory.feed-shrunk, and what the parsers throw.
 */
export async function importFacts(
  store: Store,
  feed: string,
  facts: readonly VulnerabilityFact[],
  clock: () => number,
): Promise<Imported> {
  const known = await store.advisorySets.feed(feed)
  const isTaken = known?.activeSet ? (await store.advisories.ofSet(known.activeSet, '', 1)).length > 0 : false
  if (isTaken)
    throw new KeepsealError('request.conflict', `feed ${feed} has advisories`, { remedy: 'Name another feed.' })
  return importFeed(store, { feed, authority: 'other', batches: [{ facts }] }, clock)
}
