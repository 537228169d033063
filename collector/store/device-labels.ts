import { expressionBuilder, sql } from 'kysely'
import type { Labels } from '../model/labels.ts'
import { environmentKey } from '../model/product-statement.ts'
import type { Executor } from './database.ts'
import type { Database } from './schema.ts'

/** Devices that have all of these labels, as a query to select within. */
export const withLabel = (db: Executor, key: string, value: string) =>
  db.selectFrom('device_labels').select('device_labels.device_id').where('key', '=', key).where('value', '=', value)

/** Of a query that reads `devices`: whether the device has all of these labels. None would be all devices. */
export function inEnvironment(db: Executor, labels: Labels) {
  const entries = Object.entries(labels)
  if (entries.length === 0) throw new RangeError('an environment without labels')
  const eb = expressionBuilder<Database, 'devices'>()
  return eb.and(entries.map(([key, value]) => eb('devices.id', 'in', withLabel(db, key, value))))
}

/** For a query that reads `devices` and counts: a column for each environment, and what it says of a row. */
export function environmentFlags(db: Executor, environments: readonly Labels[]) {
  const names = environments.map((_, index) => `within_${index}`)
  const eb = expressionBuilder<Database, 'devices'>()
  const columns = environments.map((labels, index) =>
    eb
      .case()
      .when(inEnvironment(db, labels))
      .then(sql.lit(1))
      .else(sql.lit(0))
      .end()
      .as(names[index] ?? ''),
  )
  const keys = environments.map(environmentKey)
  return {
    /** By which it has to group. */
    names,
    columns,
    /** The row with the keys of its environments in the place of the columns. */
    taken<T extends object>(row: T): T & { readonly environments: ReadonlySet<string> } {
      const flags = row as Readonly<Record<string, unknown>>
      const within = keys.filter((_, index) => Number(flags[names[index] ?? '']) === 1)
      const rest = Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))) as T
      return { ...rest, environments: new Set(within) }
    },
  }
}

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
