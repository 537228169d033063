import { sql } from 'kysely'
import type { Listening } from '../model/advisory.ts'
import type { Executor } from './database.ts'

/** Active devices of a product that have the same packages and the same hardware. */
export interface ExposedDevices {
  readonly product: string
  readonly hardware: string
  /** Null: nobody knows its packages. */
  readonly inventory: number | null
  /** Of the release that they run: the product itself, and its components. */
  readonly release: number | null
  readonly listening: Listening | null
  readonly count: number
}

export type ExposedDevicesRepository = ReturnType<typeof exposedDevicesRepository>

/** Active devices by what advisories mean for them. */
export function exposedDevicesRepository(db: Executor) {
  return {
    /** How many active devices a product has. */
    async count(productId: string): Promise<number> {
      const { count } = await db
        .selectFrom('devices')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('product_id', '=', productId)
        .where('enrolment', '=', 'active')
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    /** Active devices by what they report, and how many there are of each. */
    async groups(productId?: string): Promise<readonly ExposedDevices[]> {
      // Postures are counted first: there are few, and devices many.
      const rows = await db
        .selectFrom(
          db
            .selectFrom('device_states')
            .innerJoin('devices', 'devices.id', 'device_states.device_id')
            .select(['devices.product_id', 'devices.vendor', 'devices.hardware_revision'])
            .select(['device_states.posture_digest', 'device_states.release_id'])
            .select(({ fn }) => fn.countAll().as('count'))
            .where('devices.enrolment', '=', 'active')
            .where('device_states.posture_digest', 'is not', null)
            .$if(productId !== undefined, (query) => query.where('devices.product_id', '=', productId ?? ''))
            .groupBy(['devices.product_id', 'devices.vendor', 'devices.hardware_revision'])
            .groupBy(['device_states.posture_digest', 'device_states.release_id'])
            .as('reported'),
        )
        .leftJoin('inventory_postures', (join) =>
          join
            .onRef('inventory_postures.vendor', '=', 'reported.vendor')
            .onRef('inventory_postures.posture_digest', '=', 'reported.posture_digest'),
        )
        .leftJoin('inventory_releases', 'inventory_releases.release_id', 'reported.release_id')
        .select(['reported.product_id as product', 'reported.hardware_revision as hardware'])
        .select(['inventory_postures.inventory_id as inventory', 'inventory_releases.inventory_id as release'])
        .select('inventory_postures.listening')
        .select(sql<number | string>`sum(reported.count)`.as('count'))
        .groupBy(['reported.product_id', 'reported.hardware_revision', 'inventory_postures.inventory_id'])
        .groupBy(['inventory_releases.inventory_id', 'inventory_postures.listening'])
        .execute()
      return rows.map(({ product, hardware, inventory, release, listening, count }) => ({
        product,
        hardware,
        inventory,
        release,
        listening: listening === null ? null : (JSON.parse(listening) as Listening),
        count: Number(count),
      }))
    },
  }
}
