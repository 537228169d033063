import type { ReferenceValues } from '../model/evidence.ts'
import type { Executor } from './database.ts'

const columns = [
  'id',
  'product_id as productId',
  'device_id as deviceId',
  'review',
  'posture_digest as postureDigest',
  'pcr_digest as pcrDigest',
  'boot_reference_digest as bootReferenceDigest',
  'tpm_firmware_version as tpmFirmwareVersion',
  'created_at as createdAt',
  'created_by as createdBy',
] as const

export type ReferencesRepository = ReturnType<typeof referencesRepository>

export function referencesRepository(db: Executor) {
  return {
    async insert(values: ReferenceValues): Promise<void> {
      await db
        .insertInto('reference_values')
        .values({
          id: values.id,
          product_id: values.productId,
          device_id: values.deviceId,
          review: values.review,
          posture_digest: values.postureDigest,
          pcr_digest: values.pcrDigest,
          boot_reference_digest: values.bootReferenceDigest,
          tpm_firmware_version: values.tpmFirmwareVersion?.toString() ?? null,
          created_at: values.createdAt,
          created_by: values.createdBy,
        })
        .execute()
    },

    /**
     * What holds for a device: the newest of its own values, or else the newest of its product's. `at`: what held at
     * that time, ms.
     */
    async newestFor(deviceId: number, productId: string, at?: number): Promise<ReferenceValues | undefined> {
      const own = await newest(productId, deviceId, at)
      return own ?? (await newest(productId, null, at))
    },
  }

  async function newest(productId: string, deviceId: number | null, at?: number): Promise<ReferenceValues | undefined> {
    let query = db.selectFrom('reference_values').select(columns).where('product_id', '=', productId)
    query = deviceId === null ? query.where('device_id', 'is', null) : query.where('device_id', '=', deviceId)
    if (at !== undefined) query = query.where('created_at', '<=', at)
    const row = await query.orderBy('id', 'desc').limit(1).executeTakeFirst()
    if (row === undefined) return undefined
    return { ...row, tpmFirmwareVersion: row.tpmFirmwareVersion === null ? null : BigInt(row.tpmFirmwareVersion) }
  }
}
