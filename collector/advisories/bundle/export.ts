import { hash } from '../../../shared/crypto/node.ts'
import {
  MAX_UNPACKED_BYTES,
  signBundlePage,
  stateOfFeeds,
  type BundleCursor,
  type BundledFeed,
} from '../../../shared/advisories/bundle.ts'
import type { BundledAdvisory } from '../../../shared/advisories/bundle-lines.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { AdvisoryFeed } from '../../model/advisory.ts'
import type { WholeAdvisory } from '../../store/advisories.ts'
import type { Store } from '../../store/index.ts'
import type { CollectorKeys } from '../../trust/keys.ts'
import { deflateZlib } from '../../zlib.ts'

/** As much as a page has: the first that is reached. */
const RECORDS = 2000
const FACTS = 20_000
const BYTES = 4 * 1024 * 1024

export interface BundleRequest {
  readonly index: number
  readonly cursor: BundleCursor
  readonly previous: Uint8Array | null
  /** Of the feeds as the first page has them; null for that one. */
  readonly state: string | null
}

/**
 * A page of a bundle of all that this collector knows of published vulnerabilities. The same state gives the same bytes.
 * Errors: request.conflict where something has changed since the first page.
 */
export async function bundlePage(
  store: Store,
  { signer, publicKey }: Pick<CollectorKeys, 'signer' | 'publicKey'>,
  { index, cursor, previous, state }: BundleRequest,
): Promise<Uint8Array> {
  const known = (await store.advisorySets.feeds()).filter((feed) => feed.activeSet !== null)
  const urls = new Map((await store.feedFetches.all()).map(({ feed, url }) => [feed, url]))
  const feeds = known.map((feed) => bundled(feed, urls.get(feed.id) ?? null))
  if (state !== null && state !== stateOfFeeds(feeds, hash)) {
    throw new KeepsealError('request.conflict', 'advisories have changed since the first page', {
      remedy: 'Export again.',
    })
  }
  const set = known[cursor.feed]?.activeSet
  const { lines, next } = set === undefined || set === null ? NOTHING : await linesOf(store, set, cursor, feeds.length)
  const text = new TextEncoder().encode(lines.join('\n'))
  if (text.length > MAX_UNPACKED_BYTES)
    throw new KeepsealError('advisory.too-large', `${text.length} bytes in one page`)
  const content = deflateZlib(text)
  const page = { key: publicKey.x, index, previous, feeds, feed: cursor.feed, content, unpacked: text.length, next }
  return signBundlePage(page, signer)
}

interface Lines {
  readonly lines: readonly string[]
  readonly next: BundleCursor | null
}

const NOTHING: Lines = { lines: [], next: null }

function bundled(feed: AdvisoryFeed, url: string | null): BundledFeed {
  const { id: name, authority, advisories, checkedAt, changedAt, digest } = feed
  return { name, authority, advisories, checkedAt: checkedAt ?? 0, changedAt: changedAt ?? 0, digest, url }
}

/** A feed has advisories or facts: after the last advisory come the facts, after the last fact the next feed. */
async function linesOf(store: Store, set: number, { feed, after }: BundleCursor, feeds: number): Promise<Lines> {
  const nextFeed = feed + 1 < feeds ? { feed: feed + 1, after: '' } : null
  if (!after.startsWith(FACT)) {
    const advisories = await store.advisories.ofSet(set, after, RECORDS)
    const lines: string[] = []
    let size = 0
    for (const advisory of advisories) {
      const line = JSON.stringify(toLine(advisory))
      if (lines.length > 0 && size + line.length > BYTES)
        return { lines, next: { feed, after: lastOf(lines, advisories) } }
      lines.push(line)
      size += line.length
    }
    if (advisories.length === RECORDS) return { lines, next: { feed, after: lastOf(lines, advisories) } }
    const hasFacts = lines.length > 0 && (await store.advisories.factsOfSet(set, '', 1)).length > 0
    if (lines.length > 0) return { lines, next: hasFacts ? { feed, after: FACT } : nextFeed }
  }
  const facts = await store.advisories.factsOfSet(set, after.slice(FACT.length), FACTS)
  const last = facts.at(-1)
  const lines = facts.map((fact) => JSON.stringify(fact))
  if (facts.length === FACTS && last !== undefined) return { lines, next: { feed, after: `${FACT}${last.cve}` } }
  return { lines, next: nextFeed }
}

/** No name of an advisory begins so. */
const FACT = ' '

const lastOf = (lines: readonly string[], advisories: readonly WholeAdvisory[]): string =>
  advisories[lines.length - 1]?.id ?? ''

/** In one order, whatever the database gave. */
function toLine(advisory: WholeAdvisory): BundledAdvisory {
  const { id, format, aliases, summary, severity, cvss, published, modified, withdrawn, statements } = advisory
  return {
    id,
    format: format as BundledAdvisory['format'],
    aliases: [...aliases],
    summary,
    severity,
    cvss,
    published,
    modified,
    withdrawn,
    statements: statements.map((one) => ({
      ecosystem: one.ecosystem,
      release: one.release,
      package: one.package,
      side: one.side,
      architecture: one.architecture,
      scheme: one.scheme,
      product: one.product,
      statement: one.statement,
      ranges: one.ranges.map(({ introduced, fixed, lastAffected }) => ({ introduced, fixed, lastAffected })),
      versions: [...one.versions],
      justification: one.justification,
      cves: [...one.cves],
    })),
  }
}
