import * as v from 'valibot'
import { fromBase64Url, fromHex } from '../../../shared/bytes/bytes.ts'
import { MAX_BUNDLE_PAGE_BYTES } from '../../../shared/advisories/bundle.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { decodeKeyHistory, MAX_KEY_HISTORY_BYTES, type KeyHistory } from '../../../shared/evidence/key-history.ts'
import { bundlePage } from '../../advisories/bundle/export.ts'
import { takeBundlePage } from '../../advisories/bundle/import.ts'
import { computeExposures } from '../../advisories/compute.ts'
import { CborBytes, defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest } from '../schemas.ts'
import { FLEET } from './roles.ts'

const number = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))

const MAX_HISTORY_TEXT = Math.ceil((MAX_KEY_HISTORY_BYTES * 4) / 3)

/** Error: advisory.malformed. */
function keyHistoryIn(text: string | undefined): KeyHistory | null {
  if (text === undefined) return null
  try {
    return decodeKeyHistory(fromBase64Url(text))
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
    throw new KeepsealError('advisory.malformed', `bundle: its history of keys: ${cause.message}`, { cause })
  }
}

const page = defineEndpoint({
  method: 'GET',
  path: '/advisory-bundle',
  operationId: 'getAdvisoryBundle',
  summary: 'A page of a bundle of all advisories, signed, for collectors without a network; the first without a query',
  roles: FLEET,
  scope: 'unbound',
  query: v.strictObject({
    index: v.optional(number, '0'),
    /** As `next` of the page before. */
    feed: v.optional(number, '0'),
    after: v.optional(v.pipe(v.string(), v.maxLength(4096)), ''),
    /** SHA-256 of the page before. */
    previous: v.optional(Digest),
    /** As the list of feeds was in the first page: docs/advisories.md. */
    state: v.optional(Digest),
  }),
  response: CborBytes,
  run: async ({ store, keys }, { query: { index, feed, after, previous, state } }) =>
    bundlePage(store, keys, {
      index,
      cursor: { feed, after },
      previous: previous === undefined ? null : fromHex(previous),
      state: state ?? null,
    }),
})

const take = defineEndpoint({
  method: 'POST',
  path: '/advisory-bundle',
  operationId: 'importAdvisoryBundle',
  summary: 'Take the next page of a bundle; with the last one all of it counts at once, and nothing before',
  roles: FLEET,
  scope: 'unbound',
  bodyBytes: Math.ceil((MAX_BUNDLE_PAGE_BYTES * 4) / 3) + MAX_HISTORY_TEXT + 65_536,
  body: v.strictObject({
    /** base64url */
    page: v.pipe(v.string(), v.minLength(1), v.regex(/^[\w-]+$/)),
    /** Thumbprint of the collector that made it, beside those that the configuration names. */
    signedBy: v.optional(Digest),
    /** base64url: how the key that has signed the page followed the trusted one. Kept from the first page on. */
    keyHistory: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_HISTORY_TEXT), v.regex(/^[\w-]+$/))),
    /** Also what is older than what is here, or has lost half of it. */
    force: v.optional(v.boolean(), false),
  }),
  response: v.strictObject({
    pages: v.number(),
    /** Thumbprints of the key that has signed it, and of the trusted one that it has followed, or which it is. */
    signer: Digest,
    trusted: Digest,
    /** null: more pages are to come. */
    feeds: v.nullable(v.array(v.strictObject({ feed: v.string(), advisories: v.number(), before: v.number() }))),
  }),
  run: async ({ store, clock, keys, bundleSigners = [] }, { body, actor }) => {
    const others = [...bundleSigners, ...(body.signedBy === undefined ? [] : [body.signedBy])]
    const signers = { own: { x: keys.publicKey.x, history: keys.keyHistory }, others }
    const trust = { signers, keyHistory: keyHistoryIn(body.keyHistory), isForced: body.force }
    const taken = await takeBundlePage(store, fromBase64Url(body.page), trust, clock)
    const { feeds, isForced, ...of } = taken
    if (feeds === null) return { ...of, feeds }
    const detail = {
      feeds: feeds.map(({ feed }) => feed).join(' '),
      advisories: String(feeds.reduce((sum, one) => sum + one.advisories, 0)),
      ...(body.signedBy === undefined ? {} : { signedBy: body.signedBy }),
      ...(of.signer === of.trusted ? {} : { signer: of.signer, followed: of.trusted }),
      ...(isForced ? { forced: 'true' } : {}),
    }
    const entry = { at: clock(), actor: actor.id, action: 'advisory.import-bundle', subject: 'advisories', detail }
    await store.auditLog.append(entry)
    await computeExposures(store)
    return { ...of, feeds: feeds.map((one) => ({ ...one })) }
  },
})

export const advisoryBundleEndpoints: readonly Endpoint[] = [page, take]
