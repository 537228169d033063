import type { ApiRole } from '../model/product.ts'

/** Tables of people who log in: part of ./schema.ts, where the conventions stand. */

export interface AccountsTable {
  id: string
  login: string
  name: string
  role: ApiRole
  vendor: string | null
  /** JSON array of ids. */
  products: string | null
  password: string | null
  totp_salt: Uint8Array | null
  totp_step: number | null
  invitation_hash: Uint8Array | null
  invitation_expires_at: number | null
  created_at: number
  disabled_at: number | null
}

export interface RecoveryCodesTable {
  account_id: string
  code_hash: Uint8Array
}

export interface LoginSessionsTable {
  token_hash: Uint8Array
  account_id: string
  created_at: number
  last_seen_at: number
  expires_at: number
}

/** By the hash of what was typed as a login, whether or not there is such an account. */
export interface LoginFailuresTable {
  login_hash: Uint8Array
  failures: number
  failed_at: number
  blocked_until: number
}

export interface PasskeysTable {
  id: string
  account_id: string
  name: string
  credential_id: Uint8Array
  /** COSE_Key. */
  public_key: Uint8Array
  relying_party_id: string
  sign_count: number
  created_at: number
  last_used_at: number | null
}

export interface LoginChallengesTable {
  challenge_hash: Uint8Array
  purpose: string
  account_id: string | null
  content: string
  expires_at: number
}

export interface OidcIdentitiesTable {
  issuer: string
  subject: string
  account_id: string
}
