import type { Actor } from './product.ts'

/** A person who uses the pages, with a password and one-time codes. `id`: `acc_` + UUIDv7. */
export interface Account extends Actor {
  /** Lower case. */
  readonly login: string
  /** As collector/access/password.ts stores it; null until the invitation was taken up. */
  readonly password: string | null
  /** From which the secret of the one-time codes is derived; null before the invitation was opened. */
  readonly totpSalt: Uint8Array | null
  /** The newest step whose code was used. */
  readonly totpStep: number | null
  /** SHA-256 of what the person proves himself with at first, or after a reset. */
  readonly invitationHash: Uint8Array | null
  readonly invitationExpiresAt: number | null
  readonly createdAt: number
  readonly disabledAt: number | null
}

/** One login of a person, known by the hash of what the browser holds. */
export interface LoginSession {
  readonly tokenHash: Uint8Array
  readonly accountId: string
  readonly createdAt: number
  readonly lastSeenAt: number
  /** However much it is used. */
  readonly expiresAt: number
}
