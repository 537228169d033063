/**
 * Where a release is on its way. `draft`: may still be replaced. `approved`: looked at by a second person, and in force
 * nowhere. `active`: what devices are supposed to run. `superseded`: a later one is active; accepted until its window
 * closes. `revoked`: no device may run it any more.
 */
export type ReleaseState = 'draft' | 'approved' | 'active' | 'superseded' | 'revoked'

/** Who did something, as the API knows people: by the token that was used, and the name that it was made for. */
export interface Person {
  readonly tokenId: string
  readonly name: string
}

/** What happened to a release by one person, and when (ms since 1970). */
export interface Act {
  readonly by: Person
  readonly at: number
}

/** A version of a product's software with its reference values. */
export interface Release {
  /** `rel_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  /** As the vendor calls it; unique within the product. */
  readonly name: string
  /** SHA-256 of the document's canonical encoding: what was approved, and by what it is named. */
  readonly digest: Uint8Array
  readonly state: ReleaseState
  /** Everybody who has written a version of it: none of them can approve it. */
  readonly authors: readonly Person[]
  readonly createdAt: number
  readonly approved: Act | null
  /** By the certifier; certified products need it. */
  readonly countersigned: Act | null
  /** Its place among the releases of the product that were ever active, from 1; null before. */
  readonly order: number | null
  readonly activatedAt: number | null
  readonly supersededAt: number | null
  /** End of the window in which a superseded release is still accepted. */
  readonly acceptedUntil: number | null
  readonly revokedAt: number | null
  /** Whatever was active before this one is below the minimum. */
  readonly isMinimum: boolean
}

/**
 * What is known of a device's releases. `current`: the one it conforms to, since when; `highest`: the latest one that
 * it ever conformed to; `judgedBy`: by which releases of its product it was judged last (see releaseSetKey).
 */
export interface DeviceRelease {
  readonly current: string | null
  readonly since: number | null
  readonly highest: string | null
  readonly judgedBy: string | null
}

export const noDeviceRelease: DeviceRelease = { current: null, since: null, highest: null, judgedBy: null }
