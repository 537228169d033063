import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import { isTooOld } from '../../advisories/feeds/age.ts'
import type { FeedFetch } from '../../model/advisory-fetch.ts'
import { FEED_AUTHORITIES, type AdvisoryFeed } from '../../model/advisory.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time, toTime, toTimeOrNull } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

const FetchJson = v.strictObject({
  kind: v.string(),
  url: v.string(),
  nextAt: Time,
  attempts: v.number(),
  attemptedAt: v.nullable(Time),
  /** In a row. */
  failures: v.number(),
  maxAgeSeconds: v.number(),
  /** It was last looked at with success longer ago than that. */
  isStale: v.boolean(),
  /** null: this kind has none, or nothing came yet. */
  signature: v.nullable(v.picklist(['checked', 'not-checked'])),
  /** The number of the newest request for it, and of the one that the last attempt has answered. */
  asked: v.number(),
  answered: v.number(),
})
const FeedJson = v.strictObject({
  feed: v.string(),
  authority: v.picklist(FEED_AUTHORITIES),
  advisories: v.number(),
  checkedAt: v.nullable(Time),
  changedAt: v.nullable(Time),
  /** SHA-256 of what was taken, where it is known. */
  digest: v.nullable(v.string()),
  problem: v.nullable(v.strictObject({ code: v.string(), detail: v.string(), since: Time })),
  /** Records that were left out, since something is wrong with them: what they said before counts. */
  wrong: v.number(),
  /** null: the collector does not fetch it. */
  fetch: v.nullable(FetchJson),
})

function feedJson(feed: AdvisoryFeed, fetch: FeedFetch | undefined, now: number): v.InferOutput<typeof FeedJson> {
  const { id, authority, advisories, checkedAt, changedAt, digest, problem, wrong } = feed
  return {
    feed: id,
    authority,
    advisories,
    checkedAt: toTimeOrNull(checkedAt),
    changedAt: toTimeOrNull(changedAt),
    digest,
    problem: problem && { ...problem, since: toTime(problem.since) },
    wrong,
    fetch:
      fetch === undefined
        ? null
        : {
            kind: fetch.kind,
            url: fetch.url,
            nextAt: toTime(fetch.nextAt),
            attempts: fetch.attempts,
            attemptedAt: toTimeOrNull(fetch.attemptedAt),
            failures: fetch.failures,
            maxAgeSeconds: Math.round(fetch.maxAgeMs / 1000),
            isStale: isTooOld(fetch, feed, now),
            signature: fetch.signature,
            asked: fetch.asked,
            answered: fetch.answered,
          },
  }
}

const feeds = defineEndpoint({
  method: 'GET',
  path: '/advisory-feeds',
  operationId: 'listAdvisoryFeeds',
  summary: 'Where advisories come from, when each was looked at, and what is wrong with it',
  roles: READERS,
  scope: 'common',
  response: v.strictObject({ items: v.array(FeedJson) }),
  run: async ({ store, clock }) => {
    const fetches = new Map((await store.feedFetches.all()).map((one) => [one.feed, one]))
    const now = clock()
    return { items: (await store.advisorySets.feeds()).map((feed) => feedJson(feed, fetches.get(feed.id), now)) }
  },
})

const wrong = defineEndpoint({
  method: 'GET',
  path: '/advisory-feeds/:feed/wrong-records',
  operationId: 'listWrongRecords',
  summary: 'Records of a feed that were left out, each with what is wrong with it',
  roles: READERS,
  scope: 'common',
  params: v.strictObject({ feed: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
  response: v.strictObject({
    items: v.array(
      v.strictObject({
        place: v.string(),
        advisory: v.nullable(v.string()),
        package: v.nullable(v.string()),
        code: v.string(),
        detail: v.string(),
      }),
    ),
  }),
  run: async ({ store }, { params: { feed } }) => {
    const known = await store.advisorySets.feed(feed)
    if (known === undefined) throw new KeepsealError('request.not-found', `feed ${feed}`)
    return { items: known.activeSet === null ? [] : [...(await store.wrongRecords.ofSet(known.activeSet))] }
  },
})

const fetch = defineEndpoint({
  method: 'POST',
  path: '/advisory-feeds/:feed/fetch',
  operationId: 'fetchAdvisoryFeed',
  summary: 'Have a feed fetched now, by the collector that does it for all; the list of feeds tells how it went',
  roles: FLEET,
  scope: 'unbound',
  params: v.strictObject({ feed: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
  body: v.strictObject({
    /** Also where half of it is gone, once: somebody has looked. */
    acceptShrunk: v.optional(v.boolean(), false),
  }),
  /** `asked`: it is done when what was `answered` is as high. */
  response: v.strictObject({ feed: v.string(), attempts: v.number(), asked: v.number() }),
  run: async ({ store, clock }, { params: { feed }, body: { acceptShrunk }, actor }) =>
    store.transaction(async (transaction) => {
      const known = await transaction.feedFetches.byFeed(feed)
      if (known === undefined) {
        throw new KeepsealError('request.not-found', `feed ${feed}`, {
          remedy: 'Feeds that are fetched are named in advisories.feeds of the configuration of the collector.',
        })
      }
      const asked = await transaction.feedFetches.request(feed, acceptShrunk)
      const detail = { feed, acceptShrunk: String(acceptShrunk) }
      const entry = { at: clock(), actor: actor.id, action: 'advisory.fetch', subject: feed, detail }
      await transaction.auditLog.append(entry)
      return { feed, attempts: known.attempts, asked }
    }),
})

export const advisoryFeedEndpoints: readonly Endpoint[] = [feeds, wrong, fetch]
