import { sql } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { Listening } from '../model/advisory.ts'
import type { Labels } from '../model/labels.ts'
import type { Executor } from './database.ts'
import { countedDevices } from './device-counts.ts'
import { environmentFlags, inEnvironment } from './device-labels.ts'

/** Active devices of a product that have the same hardware, report the same posture, and run the same release. */
export interface ExposedDevices {
  readonly product: string
  readonly hardware: string
  /** In hexadecimal. */
  readonly posture: string
  readonly releaseId: string | null
  /** Null: nobody knows its packages. */
  readonly inventory: number | null
  /** Of the release that they run: the product itself, and its components. */
  readonly release: number | null
  /** The same object where it is the same. */
  readonly listening: Listening | null
  readonly count: number
}

/** Of a group of devices, those that have these labels. */
export type EnvironmentDevices = Pick<ExposedDevices, 'hardware' | 'posture' | 'releaseId' | 'count'> & {
  /** Keys of those whose labels they have. */
  readonly environments: ReadonlySet<string>
}

export type ExposedDevicesRepository = ReturnType<typeof exposedDevicesRepository>

/** Active devices by what advisories mean for them. */
export function exposedDevicesRepository(db: Executor) {
  const reporting = () =>
    db
      .selectFrom('device_states')
      .innerJoin('devices', 'devices.id', 'device_states.device_id')
      .where('devices.enrolment', '=', 'active')
      .where('device_states.posture_digest', 'is not', null)

  return {
    /** How many active devices a product has. */
    async count(productId: string): Promise<number> {
      const { count } = await db
        .selectFrom('device_counts')
        .select(({ fn }) => fn.sum('devices').as('count'))
        .where('product_id', '=', productId)
        .executeTakeFirstOrThrow()
      return Number(count ?? 0)
    },

    /** Active devices by what they report, and how many there are of each. */
    async groups(productId?: string): Promise<readonly ExposedDevices[]> {
      // What the database has counted: to look at each device would take seconds.
      const rows = await db
        .selectFrom(
          countedDevices(db)
            .where('posture_digest', 'is not', null)
            .$if(productId !== undefined, (query) => query.where('product_id', '=', productId ?? ''))
            .as('reported'),
        )
        .leftJoin('inventory_postures', (join) =>
          join
            .onRef('inventory_postures.vendor', '=', 'reported.vendor')
            .onRef('inventory_postures.posture_digest', '=', 'reported.posture_digest'),
        )
        .leftJoin('inventory_releases', 'inventory_releases.release_id', 'reported.release_id')
        .select(['reported.product_id as product', 'reported.hardware_revision as hardware'])
        .select(['reported.posture_digest as posture', 'reported.release_id as releaseId', 'reported.count'])
        .select(['inventory_postures.inventory_id as inventory', 'inventory_releases.inventory_id as release'])
        .select('inventory_postures.listening')
        .execute()
      const known = new Map<string, Listening>()
      return rows.map(({ posture, listening, count, ...row }) => ({
        ...row,
        posture: toHex(posture ?? new Uint8Array()),
        listening: listening === null ? null : listeningFrom(listening, known),
        count: Number(count),
      }))
    },

    /** Of a product, the devices that have the labels of at least one of these. */
    async within(productId: string, environments: readonly Labels[]): Promise<readonly EnvironmentDevices[]> {
      if (environments.length === 0) return []
      const flags = environmentFlags(db, environments)
      const rows = await reporting()
        .where('devices.product_id', '=', productId)
        .where(({ or }) => or(environments.map((labels) => inEnvironment(db, labels))))
        .select(['devices.hardware_revision as hardware', 'device_states.posture_digest as posture'])
        .select('device_states.release_id as releaseId')
        .select(({ fn }) => fn.countAll().as('count'))
        .select(flags.columns)
        .groupBy(['devices.hardware_revision', 'device_states.posture_digest', 'device_states.release_id'])
        .groupBy(flags.names.map((name) => sql.ref(name)))
        .execute()
      return rows.map((row) => {
        const { hardware, posture, releaseId, count, environments: within } = flags.taken(row)
        const digest = toHex(posture ?? new Uint8Array())
        return { hardware, posture: digest, releaseId, count: Number(count), environments: within }
      })
    },
  }
}

function listeningFrom(text: string, known: Map<string, Listening>): Listening {
  const found = known.get(text) ?? (JSON.parse(text) as Listening)
  known.set(text, found)
  return found
}
