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

    /** What holds for a device: its own values first, then its product's, each newest first. */
    async activeFor(deviceId: number, productId: string): Promise<readonly ReferenceValues[]> {
      const found = await db
        .selectFrom('reference_values')
        .select(columns)
        .where('product_id', '=', productId)
        .where((or) => or.or([or('device_id', '=', deviceId), or('device_id', 'is', null)]))
        .orderBy('id', 'desc')
        .execute()
      const rows = found.map((row) => ({
        ...row,
        tpmFirmwareVersion: row.tpmFirmwareVersion === null ? null : BigInt(row.tpmFirmwareVersion),
      }))
      return [...rows.filter((row) => row.deviceId !== null), ...rows.filter((row) => row.deviceId === null)]
    },
  }
}
