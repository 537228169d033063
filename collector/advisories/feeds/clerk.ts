import type { Logger } from 'pino'
import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { PeriodicWork } from '../../periodic-work.ts'
import type { FeedFetch } from '../../model/advisory-fetch.ts'
import type { Store } from '../../store/index.ts'
import { feedRefused } from '../../tracking/events.ts'
import { tellOfAge } from './age.ts'
import type { Feed } from './feed.ts'
import { fetchFeed, type FetchContext } from './fetch.ts'
import { BadStatus } from './request.ts'

export interface FeedClerkOptions extends Omit<FetchContext, 'signal'> {
  readonly store: Store
  readonly feeds: readonly Feed[]
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info'>
  readonly isLeader: () => Promise<boolean>
  /** From 0 to 1: not everybody asks a server at the same second. */
  readonly chance: () => number
}

const EVERY_MS = 5_000
const FIRST_MS = 3_000
/** Feeds that are fetched at once: a slow one leaves room for another. */
const AT_ONCE = 2
const FIRST_RETRY_MS = 60_000
const MAX_DETAIL = 500

/** What a feed serves is at fault, and not the way there: people are told at once. */
const REFUSALS: readonly ErrorCode[] = [
  'advisory.malformed',
  'advisory.too-large',
  'advisory.format-unknown',
  'advisory.feed-shrunk',
  'advisory.redirect-refused',
  'advisory.digest-mismatch',
  'advisory.signature-invalid',
  'advisory.signature-unchecked',
]

/** Fetches the feeds of advisories that the configuration names, each in its time. One collector does it for all. */
export class FeedClerk extends PeriodicWork {
  readonly #options: FeedClerkOptions
  readonly #abort = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  #isDeclared = false

  constructor(options: FeedClerkOptions) {
    super({ everyMs: EVERY_MS, firstMs: FIRST_MS, logger: options.logger, failure: 'feeds could not be looked after' })
    this.#options = options
  }

  async look(): Promise<void> {
    const { store, feeds, clock, isLeader } = this.#options
    if (!(await isLeader())) return
    if (!this.#isDeclared) await this.#declare()
    const now = clock()
    for (const fetch of await store.feedFetches.all()) {
      const feed = feeds.find(({ name }) => name === fetch.feed)
      if (feed === undefined) continue
      // Nothing waits for longer than its interval: such a time was written before the clock was put back.
      const isDue = fetch.nextAt <= now || fetch.nextAt > now + feed.intervalMs * 2
      if (!isDue || this.#running.has(feed.name) || this.#running.size >= AT_ONCE) continue
      const work = this.#fetch(feed, fetch).finally(() => this.#running.delete(feed.name))
      this.#running.set(feed.name, work)
    }
    await tellOfAge(store, now)
  }

  /** Resolves when nothing is being fetched. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  override async stop(): Promise<void> {
    this.#abort.abort()
    await super.stop()
    await this.settled()
  }

  async #declare(): Promise<void> {
    const { store, feeds, clock } = this.#options
    await store.transaction(async (transaction) => {
      for (const { name, authority } of feeds) await transaction.advisorySets.declareFeed(name, authority)
      const fetched = feeds.map(({ name, kind, url, maxAgeMs }) => ({ feed: name, kind, url, maxAgeMs }))
      await transaction.feedFetches.declare(fetched, clock())
    })
    this.#isDeclared = true
  }

  async #fetch(feed: Feed, before: Pick<FeedFetch, 'failures' | 'mayShrink' | 'asked'>): Promise<void> {
    const { store, logger, clock } = this.#options
    const { name, intervalMs } = feed
    try {
      const outcome = await fetchFeed({ ...this.#options, signal: this.#abort.signal }, feed, before.mayShrink)
      const now = clock()
      const nextAt = now + this.#spread(intervalMs)
      await store.feedFetches.settle(name, { attemptedAt: now, nextAt, failures: 0, asked: before.asked })
      if (outcome === 'changed') logger.info({ feed: name }, 'advisories were fetched')
    } catch (error) {
      // The collector ends: it was nobody's fault.
      if (this.#abort.signal.aborted) return
      const failures = before.failures + 1
      const now = clock()
      const ownMs = Math.min(intervalMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20))
      // As long as the server wants to be left alone, and no longer than an interval.
      const retryMs = Math.max(ownMs, Math.min(intervalMs, waitOf(error, now)))
      const next = { failures, nextAt: now + this.#spread(retryMs), asked: before.asked }
      await this.#failed(feed, error, next).catch((cause: unknown) =>
        logger.error({ err: cause, feed: name }, 'it could not be written down that a feed failed'),
      )
    }
  }

  async #failed(feed: Feed, error: unknown, next: Pick<FeedFetch, 'failures' | 'nextAt' | 'asked'>): Promise<void> {
    const { store, logger, clock } = this.#options
    const { name } = feed
    const isKnown = error instanceof KeepsealError
    const code = isKnown ? error.code : 'advisory.feed-unreachable'
    const detail = (isKnown ? (error.detail ?? '') : 'a fault of the collector, see its log').slice(0, MAX_DETAIL)
    if (isKnown) logger.warn({ feed: name, code, detail }, 'a feed was not taken')
    else logger.error({ err: error, feed: name }, 'a feed was not taken')
    const now = clock()
    await store.transaction(async (transaction) => {
      const isNews = await transaction.advisorySets.failed(name, code, detail, now)
      await transaction.feedFetches.settle(name, { attemptedAt: now, ...next })
      if (isNews && REFUSALS.includes(code)) await transaction.notifications.add(feedRefused(name, code, detail, now))
    })
  }

  /** Up to a tenth more. */
  #spread(ms: number): number {
    return Math.round(ms * (1 + this.#options.chance() / 10))
  }
}

/** Of Retry-After, seconds or a date (RFC 9110, section 10.2.3): ms from now; 0 where the server says nothing of it. */
function waitOf(error: unknown, now: number): number {
  const said = error instanceof BadStatus ? error.retryAfter : null
  if (said === null) return 0
  const ms = /^\d{1,9}$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}
