/** `not-checked`: nothing here checks it, or the publisher signs not everything. */
export type SignatureState = 'checked' | 'not-checked'

/** A feed that the configuration has fetched. */
export interface FetchedFeed {
  readonly feed: string
  readonly kind: string
  readonly url: string
  readonly maxAgeMs: number
}

/** How fetching it goes. Times are ms since 1970. */
export interface FeedFetch extends FetchedFeed {
  /** Since when it is to be fetched from there. */
  readonly declaredAt: number
  readonly nextAt: number
  readonly attempts: number
  /** When the last attempt ended. */
  readonly attemptedAt: number | null
  /** In a row. */
  readonly failures: number
  /** Somebody has looked: it may lose half of what it had, once. */
  readonly mayShrink: boolean
  /** People were told that it is too old. */
  readonly isStale: boolean
  /** Null where the kind of feed has no signatures, or nothing came yet. */
  readonly signature: SignatureState | null
  /** How often somebody has asked for it; and how often he had when the last attempt that has ended was begun. */
  readonly asked: number
  readonly answered: number
}

/** A document of a feed that serves each by itself, as it was taken. */
export interface AdvisoryDocument {
  readonly url: string
  /** As the feed says it. */
  readonly updated: string
  /** Names of the advisories in it. */
  readonly advisories: readonly string[]
  /** By which it is seen to be changed where the feed does not say when it was: of HTTP, and its SHA-256. */
  readonly etag: string | null
  readonly lastModified: string | null
  readonly digest: string | null
}
