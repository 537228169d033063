import type { Labels } from '../model/labels.ts'
import type { Executor } from './database.ts'

/** Devices that have all of these labels, as a query to select within. */
export const withLabel = (db: Executor, key: string, value: string) =>
  db.selectFrom('device_labels').select('device_labels.device_id').where('key', '=', key).where('value', '=', value)

export type DeviceLabelsRepository = ReturnType<typeof deviceLabelsRepository>

export function deviceLabelsRepository(db: Executor) {
  return {
    /** Devices without any are absent. */
    async of(deviceIds: readonly number[]): Promise<ReadonlyMap<number, Labels>> {
      const labels = new Map<number, Record<string, string>>()
      if (deviceIds.length === 0) return labels
      const rows = await db
        .selectFrom('device_labels')
        .selectAll()
        .where('device_id', 'in', deviceIds)
        .orderBy('key')
        .execute()
      for (const { device_id: id, key, value } of rows) labels.set(id, { ...labels.get(id), [key]: value })
      return labels
    },

    /** In place of the value that the key had. */
    async set(deviceId: number, labels: Labels): Promise<void> {
      for (const [key, value] of Object.entries(labels)) {
        await this.remove(deviceId, [key])
        await db.insertInto('device_labels').values({ device_id: deviceId, key, value }).execute()
      }
    },

    async remove(deviceId: number, keys: readonly string[]): Promise<void> {
      if (keys.length === 0) return
      await db.deleteFrom('device_labels').where('device_id', '=', deviceId).where('key', 'in', keys).execute()
    },
  }
}
