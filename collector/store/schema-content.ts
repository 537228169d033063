import type { ReferenceValues } from '../model/evidence.ts'
import type { ReleaseState } from '../model/release.ts'

/** Tables of what devices report and of what it is compared with: part of ./schema.ts, where the conventions stand. */

export interface PosturesTable {
  vendor: string
  digest: Uint8Array
  /** JSON object: section id -> digest in hex. */
  sections: string
}

export interface PcrSetsTable {
  vendor: string
  digest: Uint8Array
  pcr_values: Uint8Array
  /** Within a day. */
  last_used_at: number
}

export interface BootReferencesTable {
  vendor: string
  digest: Uint8Array
  /** JSON: shared/eventlog/reference/encoding.ts. */
  rules: string
}

export interface SectionsTable {
  vendor: string
  digest: Uint8Array
  content: Uint8Array
}

export interface SectionChunksTable {
  vendor: string
  digest: Uint8Array
  chunk_index: number
  chunk_count: number
  size: number
  encoding: string
  bytes: Uint8Array
  device_id: number
}

export interface ReferenceValuesTable {
  id: string
  product_id: string
  device_id: number | null
  review: ReferenceValues['review']
  posture_digest: Uint8Array
  pcr_digest: Uint8Array | null
  boot_reference_digest: Uint8Array | null
  /** Decimal text: an unsigned 64-bit number. */
  tpm_firmware_version: string | null
  created_at: number
  created_by: string
}

export interface ImaPoliciesTable {
  product_id: string
  /** From 1 for each product; the highest one holds. */
  version: number
  /** JSON. */
  policy: string
  created_at: number
  created_by: string
}

export interface ReleasesTable {
  id: string
  product_id: string
  name: string
  digest: Uint8Array
  /** Canonical CBOR. */
  document: Uint8Array
  state: ReleaseState
  /** JSON, as are `approved` and `countersigned`: who, and when. */
  authors: string
  created_at: number
  approved: string | null
  countersigned: string | null
  /** Place among the releases that were ever active. */
  release_order: number | null
  activated_at: number | null
  superseded_at: number | null
  accepted_until: number | null
  revoked_at: number | null
  is_minimum: 0 | 1
}
