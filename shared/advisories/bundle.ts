import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'
import { coseKeyThumbprint } from '../cose/key.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import type { HashFunction, VerificationKey } from '../crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { contentType, messageAad } from '../evidence/roles.ts'
import { toHex } from '../bytes/bytes.ts'

/** A feed as the collector that made the bundle had it. Times are ms since 1970. */
export interface BundledFeed {
  readonly name: string
  readonly authority: string
  readonly advisories: number
  readonly checkedAt: number
  readonly changedAt: number
  /** SHA-256 of what its publisher served, hexadecimal; null where that is not known. */
  readonly digest: string | null
  /** Where it was fetched from. */
  readonly url: string | null
}

/** Where the next page begins: in which feed, after which advisory. */
export interface BundleCursor {
  readonly feed: number
  readonly after: string
}

/** One page of a bundle of advisories, as the collector signs it for whoever has the page before. */
export interface BundlePage {
  /** The collector's Ed25519 key, 32 bytes. */
  readonly key: Uint8Array
  readonly index: number
  /** SHA-256 of the page before; null for the first. */
  readonly previous: Uint8Array | null
  /** The same in all pages. */
  readonly feeds: readonly BundledFeed[]
  /** Which of them `content` is of. */
  readonly feed: number
  /** Lines of JSON, in zlib; `unpacked` bytes. */
  readonly content: Uint8Array
  readonly unpacked: number
  /** Null: this is the last one. */
  readonly next: BundleCursor | null
}

const MAX_FEEDS = 1000
export const MAX_BUNDLE_PAGE_BYTES = 24 * 1024 * 1024
export const MAX_UNPACKED_BYTES = 128 * 1024 * 1024
const LIMITS = { maxBytes: MAX_BUNDLE_PAGE_BYTES, maxDepth: 8, maxItems: 16_384 }
const DIGEST = { length: 32 }
const NAME = { min: 1, max: 600 }
const AAD = messageAad('advisory-bundle', null)

const feedToCbor = (of: BundledFeed): CborValue => [
  of.name,
  of.authority,
  of.advisories,
  of.checkedAt,
  of.changedAt,
  of.digest,
  of.url,
]

/** keepseal.cddl, advisory-bundle, by the collector's key. The same content is signed to the same bytes. */
export function signBundlePage(page: BundlePage, signer: Signer): Promise<Uint8Array> {
  const { key, index, previous, feeds, feed, content, unpacked, next } = page
  const payload = encodeCbor([
    key,
    index,
    previous,
    feeds.map(feedToCbor),
    feed,
    content,
    unpacked,
    next && [next.feed, next.after],
  ])
  return signSign1({ payload, contentType: contentType('advisory-bundle'), externalAad: AAD, signer })
}

export interface OpenedPage extends BundlePage {
  /** Of the key that signed it, hexadecimal. Whether one trusts it is for the caller to say. */
  readonly signer: string
  /** SHA-256 of its bytes: `previous` of the next one. */
  readonly head: Uint8Array
}

interface Crypto {
  readonly hash: HashFunction
  readonly ed25519Key: (x: Uint8Array) => VerificationKey
}

/**
 * A page that was signed by the key that it names. Nothing is said about whose key that is: see `signer`.
 * Errors: advisory.signature-invalid, advisory.malformed.
 */
export function openBundlePage(bytes: Uint8Array, { hash, ed25519Key }: Crypto): OpenedPage {
  try {
    const message = parseSign1(bytes, LIMITS)
    // The key is in what it signs. Only its thumbprint, which is signed too, says who it is.
    const claimed = keyOf(message.unverifiedPayload)
    const thumbprint = coseKeyThumbprint({ curve: 'Ed25519', x: claimed }, hash)
    const { payload } = verifySign1(message, {
      key: ed25519Key(claimed),
      keyId: thumbprint,
      externalAad: AAD,
      contentType: contentType('advisory-bundle'),
    })
    const page = readPage(field(decodeCbor(payload, LIMITS), 'claims.malformed', 'bundle'))
    return { ...page, signer: toHex(thumbprint), head: new Uint8Array(hash('sha256', bytes)) }
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
    const code = cause.code.startsWith('cose.') ? 'advisory.signature-invalid' : 'advisory.malformed'
    throw new KeepsealError(code, `bundle: ${cause.message}`, { cause })
  }
}

const PARTS = ['key', 'index', 'previous', 'feeds', 'feed', 'content', 'unpacked', 'next'] as const

function keyOf(payload: Uint8Array): Uint8Array {
  const [key] = field(decodeCbor(payload, LIMITS), 'claims.malformed', 'bundle').tuple(...PARTS)
  return key.bytes(DIGEST)
}

function readPage(page: CborField): BundlePage {
  const [key, index, previous, feeds, feed, content, unpacked, next] = page.tuple(...PARTS)
  const list = feeds.array({ max: MAX_FEEDS }).map(readFeed)
  const [nextFeed, after] = next.nullable()?.tuple('feed', 'after') ?? []
  return {
    key: key.bytes(DIGEST),
    index: index.uint(),
    previous: previous.nullable()?.bytes(DIGEST) ?? null,
    feeds: list,
    feed: feed.uint({ max: list.length }),
    content: content.bytes({ max: MAX_BUNDLE_PAGE_BYTES }),
    unpacked: unpacked.uint({ max: MAX_UNPACKED_BYTES }),
    next:
      nextFeed === undefined || after === undefined
        ? null
        : { feed: nextFeed.uint({ max: list.length }), after: after.text({ max: 4096 }) },
  }
}

function readFeed(item: CborField): BundledFeed {
  const [name, authority, advisories, checked, changed, digest, url] = item.tuple(
    ...(['name', 'authority', 'advisories', 'checked', 'changed', 'digest', 'url'] as const),
  )
  return {
    name: name.text(NAME),
    authority: authority.oneOf(['own', 'distribution', 'other']),
    advisories: advisories.uint(),
    checkedAt: checked.uint(),
    changedAt: changed.uint(),
    digest: digest.nullable()?.text({ length: 64 }) ?? null,
    url: url.nullable()?.text({ max: 2048 }) ?? null,
  }
}

/** What pages of one bundle have in common, hexadecimal: SHA-256 of the list of feeds in its encoding. */
export const stateOfFeeds = (feeds: readonly BundledFeed[], hash: HashFunction): string =>
  toHex(hash('sha256', encodeCbor(feeds.map(feedToCbor))))
