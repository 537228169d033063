import type { Generated } from 'kysely'
import type { Identity } from '../model/device.ts'

/** Tables of what others are shown of the past: rows are added and never changed. Part of ./schema.ts. */

/** Keys that a device was enrolled with: a row for each time that it was given some. */
export interface DeviceEnrolmentsTable {
  id: Generated<number>
  device_id: number
  identity: Identity
  device_key: Uint8Array
  ek_name: Uint8Array | null
  ek_certificate: Uint8Array | null
  ak_public: Uint8Array | null
}

/** Each declaration of how many units of a product there are. */
export interface UnitDeclarationsTable {
  id: Generated<number>
  product_id: string
  declared: number | null
  declared_at: number
}
