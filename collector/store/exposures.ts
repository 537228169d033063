import type { Exposure, ExposureStatus, Inventory, Listening } from '../model/advisory.ts'
import type { Executor } from './database.ts'

const ROWS = 500

type Content = Omit<Exposure, 'package' | 'advisory' | 'status'>

export interface NewInventory {
  readonly vendor: string
  readonly packagesDigest: Uint8Array
  /** Empty where the posture has no section of the system. */
  readonly systemDigest: Uint8Array
  readonly inventory: Inventory
  readonly incomparable: number
}

export interface StoredInventory {
  readonly id: number
  readonly vendor: string
  readonly inventory: Inventory
  readonly incomparable: number
}

/** A posture that no inventory was looked for yet. */
export interface NewPosture {
  readonly vendor: string
  readonly digest: Uint8Array
  /** JSON object: section id -> digest in hex. */
  readonly sections: string
}

/** By advisory, and by inventory: the packages that are affected, or may be. */
export type OpenExposures = ReadonlyMap<string, ReadonlyMap<number, readonly string[]>>

export type ExposuresRepository = ReturnType<typeof exposuresRepository>

/** Inventories of packages, and what advisories mean for them. */
export function exposuresRepository(db: Executor) {
  const inventories = () => db.selectFrom('inventories').select(['id', 'vendor', 'content', 'incomparable'])

  return {
    /** Those after `last`, in one order. */
    async newPostures(limit: number, last?: Pick<NewPosture, 'vendor' | 'digest'>): Promise<readonly NewPosture[]> {
      let query = db
        .selectFrom('postures')
        .leftJoin('inventory_postures', (join) =>
          join
            .onRef('inventory_postures.vendor', '=', 'postures.vendor')
            .onRef('inventory_postures.posture_digest', '=', 'postures.digest'),
        )
        .select(['postures.vendor', 'postures.digest', 'postures.sections'])
        .where('inventory_postures.vendor', 'is', null)
        .orderBy('postures.vendor')
        .orderBy('postures.digest')
        .limit(limit)
      if (last !== undefined) {
        query = query.where((eb) =>
          eb.or([
            eb('postures.vendor', '>', last.vendor),
            eb.and([eb('postures.vendor', '=', last.vendor), eb('postures.digest', '>', last.digest)]),
          ]),
        )
      }
      return query.execute()
    },

    async setPosture(
      vendor: string,
      digest: Uint8Array,
      inventory: number | null,
      listening: Listening | null = null,
    ): Promise<void> {
      const told = listening === null ? null : JSON.stringify(listening)
      await db
        .insertInto('inventory_postures')
        .values({ vendor, posture_digest: digest, inventory_id: inventory, listening: told })
        .onConflict((conflict) => conflict.columns(['vendor', 'posture_digest']).doNothing())
        .execute()
    },

    async findInventory(vendor: string, packages: Uint8Array, system: Uint8Array): Promise<number | undefined> {
      const row = await db
        .selectFrom('inventories')
        .select('id')
        .where('vendor', '=', vendor)
        .where('packages_digest', '=', packages)
        .where('system_digest', '=', system)
        .executeTakeFirst()
      return row && Number(row.id)
    },

    async addInventory({
      vendor,
      packagesDigest,
      systemDigest,
      inventory,
      incomparable,
    }: NewInventory): Promise<number> {
      const content = JSON.stringify(inventory)
      const { id } = await db
        .insertInto('inventories')
        .values({ vendor, packages_digest: packagesDigest, system_digest: systemDigest, content, incomparable })
        .returning('id')
        .executeTakeFirstOrThrow()
      const names = new Set(inventory.packages.flatMap(({ name, source }) => [name, source]))
      const rows = [...names].map((name) => ({ package: name, inventory_id: Number(id) }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('inventory_packages')
          .values(rows.slice(at, at + ROWS))
          .execute()
      }
      return Number(id)
    },

    async inventory(id: number): Promise<StoredInventory | undefined> {
      const row = await inventories().where('id', '=', id).executeTakeFirst()
      return row && toInventory(row)
    },

    async inventories(ids: readonly number[]): Promise<readonly StoredInventory[]> {
      if (ids.length === 0) return []
      return (
        await inventories()
          .where('id', 'in', [...ids])
          .execute()
      ).map(toInventory)
    },

    /** What listens there, by package; null where the posture does not tell. */
    async listeningOf(vendor: string, digest: Uint8Array): Promise<Listening | null> {
      const row = await db
        .selectFrom('inventory_postures')
        .select('listening')
        .where('vendor', '=', vendor)
        .where('posture_digest', '=', digest)
        .executeTakeFirst()
      return row?.listening === undefined || row.listening === null ? null : (JSON.parse(row.listening) as Listening)
    },

    /** Null: a posture without packages. Undefined: nobody has looked at it yet. */
    async inventoryOfPosture(vendor: string, digest: Uint8Array): Promise<number | null | undefined> {
      const row = await db
        .selectFrom('inventory_postures')
        .select('inventory_id')
        .where('vendor', '=', vendor)
        .where('posture_digest', '=', digest)
        .executeTakeFirst()
      return row?.inventory_id
    },

    /** Some of the packages whose exposure has to be computed again. */
    async changedPackages(limit: number): Promise<readonly string[]> {
      const rows = await db.selectFrom('changed_packages').select('package').limit(limit).execute()
      return rows.map(({ package: name }) => name)
    },

    async settleChanged(packages: readonly string[]): Promise<void> {
      for (let at = 0; at < packages.length; at += ROWS) {
        await db
          .deleteFrom('changed_packages')
          .where('package', 'in', packages.slice(at, at + ROWS))
          .execute()
      }
    },

    /** Inventories with one of these packages, or with packages of one of these sources. */
    async inventoriesWith(packages: readonly string[]): Promise<readonly number[]> {
      const ids = new Set<number>()
      for (let at = 0; at < packages.length; at += ROWS) {
        const rows = await db
          .selectFrom('inventory_packages')
          .select('inventory_id')
          .distinct()
          .where('package', 'in', packages.slice(at, at + ROWS))
          .execute()
        for (const row of rows) ids.add(row.inventory_id)
      }
      return [...ids].sort((a, b) => a - b)
    },

    /** `packages`: those that were looked at; all of the inventory where absent. */
    async replace(inventory: number, found: readonly Exposure[], packages?: readonly string[]): Promise<void> {
      if (packages === undefined) {
        await db.deleteFrom('exposures').where('inventory_id', '=', inventory).execute()
      } else {
        for (let at = 0; at < packages.length; at += ROWS) {
          await db
            .deleteFrom('exposures')
            .where('inventory_id', '=', inventory)
            .where('package', 'in', packages.slice(at, at + ROWS))
            .execute()
        }
      }
      const rows = found.map(({ package: name, advisory, status, ...content }) => ({
        inventory_id: inventory,
        package: name,
        advisory,
        status,
        content: JSON.stringify(content satisfies Content),
      }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('exposures')
          .values(rows.slice(at, at + ROWS))
          .execute()
      }
    },

    async of(inventory: number): Promise<readonly Exposure[]> {
      const rows = await db
        .selectFrom('exposures')
        .selectAll()
        .where('inventory_id', '=', inventory)
        .orderBy('package')
        .orderBy('advisory')
        .execute()
      return rows.map(toExposure)
    },

    /** What an advisory means, for each inventory that has something to do with it. */
    async ofAdvisory(advisory: string): Promise<readonly (Exposure & { readonly inventory: number })[]> {
      const rows = await db
        .selectFrom('exposures')
        .selectAll()
        .where('advisory', '=', advisory)
        .orderBy('inventory_id')
        .limit(10_000)
        .execute()
      return rows.map((row) => ({ ...toExposure(row), inventory: row.inventory_id }))
    },

    /** Inventories by advisory, of those that are affected or may be, with the packages by which they are. */
    async openOf(inventories: readonly number[]): Promise<OpenExposures> {
      const open = new Map<string, Map<number, string[]>>()
      for (let at = 0; at < inventories.length; at += ROWS) {
        const rows = await db
          .selectFrom('exposures')
          .select(['advisory', 'inventory_id', 'package'])
          .distinct()
          .where('inventory_id', 'in', inventories.slice(at, at + ROWS))
          .where('status', 'in', OPEN_STATUSES)
          .execute()
        for (const { advisory, inventory_id: id, package: name } of rows) {
          const found = open.get(advisory) ?? new Map<number, string[]>()
          open.set(advisory, found)
          const packages = found.get(id)
          if (packages === undefined) found.set(id, [name])
          else packages.push(name)
        }
      }
      return open
    },
  }
}

/** What can hurt: also what nobody can tell of. */
const OPEN_STATUSES: readonly ExposureStatus[] = ['affected', 'fixed-not-running', 'unknown']

const toInventory = (row: { id: number; vendor: string; content: string; incomparable: number }): StoredInventory => ({
  id: Number(row.id),
  vendor: row.vendor,
  inventory: JSON.parse(row.content) as Inventory,
  incomparable: row.incomparable,
})

/** What an earlier version has computed lacks these until it is computed again. */
const EARLIER = { ecosystem: '', scheme: 'dpkg' } as const

const toExposure = (row: { package: string; advisory: string; status: ExposureStatus; content: string }): Exposure => ({
  ...EARLIER,
  source: row.package,
  ...(JSON.parse(row.content) as Partial<Content> & Omit<Content, keyof typeof EARLIER | 'source'>),
  package: row.package,
  advisory: row.advisory,
  status: row.status,
})
