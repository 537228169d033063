import type { Selectable } from 'kysely'
import type { EnrolmentToken } from '../model/product.ts'
import type { EnrolmentTokensTable } from './schema-enrolment.ts'

/** Rows of enrolment_tokens: tokens that are secrets, and registered endorsement keys that stand for one. */

export const tokenColumns = [
  'id',
  'token_hash',
  'product_id',
  'reenrol_ueid',
  'expires_at',
  'reserved_until',
  'reserved_by',
  'used_at',
  'used_by_ueid',
  'created_at',
  'ek_kind',
  'ek_fingerprint',
  'ek_serial',
  'revoked_at',
] as const

type Row = Selectable<EnrolmentTokensTable>

export function readToken(row: Row): EnrolmentToken
export function readToken(row: Row | undefined): EnrolmentToken | undefined
export function readToken(row: Row | undefined): EnrolmentToken | undefined {
  if (row === undefined) return undefined
  const { ek_kind: kind, ek_fingerprint: fingerprint } = row
  return {
    id: row.id,
    tokenHash: row.token_hash,
    productId: row.product_id,
    reenrolUeid: row.reenrol_ueid,
    expiresAt: row.expires_at,
    reservedUntil: row.reserved_until,
    reservedBy: row.reserved_by,
    usedAt: row.used_at,
    usedByUeid: row.used_by_ueid,
    createdAt: row.created_at,
    registration:
      kind === null || fingerprint === null
        ? null
        : { kind, fingerprint, serial: row.ek_serial, revokedAt: row.revoked_at },
  }
}
