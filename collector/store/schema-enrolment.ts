import type { Identity } from '../model/device.ts'
import type { FingerprintKind } from '../model/registration.ts'

export interface EnrolmentTokensTable {
  id: string
  token_hash: Uint8Array
  product_id: string
  reenrol_ueid: string | null
  expires_at: number
  reserved_until: number | null
  reserved_by: Uint8Array | null
  used_at: number | null
  used_by_ueid: string | null
  created_at: number
  ek_kind: FingerprintKind | null
  ek_fingerprint: Uint8Array | null
  ek_serial: string | null
  revoked_at: number | null
}

export interface PendingEnrolmentsTable {
  id: string
  token_id: string
  challenge: Uint8Array
  secret_hash: Uint8Array | null
  request: string
  identity: Identity
  expires_at: number
}
