import type { CoseKey } from '../../shared/cose/key.ts'

/** A credential that a person logs in with (WebAuthn Level 3): kept by an authenticator, found by it without a name. */
export interface Passkey {
  /** `pky_` + UUIDv7. */
  readonly id: string
  readonly accountId: string
  /** What the person calls it. */
  readonly name: string
  readonly credentialId: Uint8Array
  readonly key: CoseKey
  /** The host name that it is for. */
  readonly relyingPartyId: string
  /** Of its last use; 0 for those that never count. */
  readonly signCount: number
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

export type ChallengePurpose = 'passkey-login' | 'passkey-registration' | 'oidc-login'

/** What somebody was asked to answer, once and soon. */
export interface LoginChallenge {
  /** SHA-256 of what was given out. */
  readonly hash: Uint8Array
  readonly purpose: ChallengePurpose
  /** Who was asked; null where nobody knows yet who comes. */
  readonly accountId: string | null
  /** What has to be known when the answer comes. */
  readonly content: string
  readonly expiresAt: number
}
