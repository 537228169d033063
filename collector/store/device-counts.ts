import { sql } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import { transaction, type Executor } from './database.ts'

/** Rows that are added up in one transaction, for which others wait. */
const ROWS = 10_000
/** Rows beyond those that there have to be, from which on they are added up. */
const SPARE = 1000

const GROUP = ['product_id', 'vendor', 'hardware_revision', 'posture_digest', 'release_id'] as const

/** Active devices that are alike, as the database has counted them. */
export const countedDevices = (db: Executor) =>
  db
    .selectFrom('device_counts')
    .select(GROUP)
    .select(sql<number | string>`sum(device_counts.devices)`.as('count'))
    .groupBy(GROUP)
    .having(sql<boolean>`sum(device_counts.devices) > 0`)

export type DeviceCountsRepository = ReturnType<typeof deviceCountsRepository>

export function deviceCountsRepository(db: Executor) {
  return {
    /** How many rows there are, before they are added up. */
    async rows(): Promise<number> {
      const { rows } = await db
        .selectFrom('device_counts')
        .select(({ fn }) => fn.countAll().as('rows'))
        .executeTakeFirstOrThrow()
      return Number(rows)
    },

    /** Adds up rows of the same devices where that is worth it. True when there are fewer now. */
    async settle(spare = SPARE): Promise<boolean> {
      const rows = await this.rows()
      if (rows <= spare) return false
      const { groups } = await db
        .selectFrom(countedDevices(db).as('counted'))
        .select(({ fn }) => fn.countAll().as('groups'))
        .executeTakeFirstOrThrow()
      if (rows <= 2 * Number(groups) + spare) return false
      return transaction(db, async (trx) => {
        // What is taken out is what is put back, whatever others add meanwhile.
        const taken = await trx
          .deleteFrom('device_counts')
          .where('id', 'in', (eb) => eb.selectFrom('device_counts').select('id').orderBy('id').limit(ROWS))
          .returning([...GROUP, 'devices'])
          .execute()
        const sums = new Map<string, (typeof taken)[number]>()
        for (const row of taken) {
          const digest = row.posture_digest === null ? null : toHex(row.posture_digest)
          const key = JSON.stringify([row.product_id, row.vendor, row.hardware_revision, digest, row.release_id])
          const devices = (sums.get(key)?.devices ?? 0) + Number(row.devices)
          sums.set(key, { ...row, devices })
        }
        const left = [...sums.values()].filter(({ devices }) => devices !== 0)
        for (let at = 0; at < left.length; at += 500) {
          await trx
            .insertInto('device_counts')
            .values(left.slice(at, at + 500))
            .execute()
        }
        return left.length < taken.length
      })
    },
  }
}
