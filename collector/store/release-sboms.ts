import { sql, type Selectable } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { Sbom } from '../../shared/sbom/component.ts'
import type { ReleaseSbom } from '../model/release-sbom.ts'
import type { Executor } from './database.ts'
import type { ReleaseSbomsTable } from './schema-advisories.ts'

/** A release whose inventory is not of what it is now. */
export interface ReleaseToLookAt {
  readonly id: string
  readonly name: string
  readonly digest: Uint8Array
  readonly vendor: string
  readonly model: string
  /** Null: none, or of other content than the release has by now. */
  readonly sbom: Sbom | null
  readonly basis: string
}

const toSbom = (row: Selectable<ReleaseSbomsTable>): ReleaseSbom => ({
  releaseId: row.release_id,
  releaseDigest: row.release_digest,
  digest: row.digest,
  sbom: JSON.parse(row.content) as Sbom,
  importedAt: row.imported_at,
  importedBy: row.imported_by,
  importedByName: row.imported_by_name,
})

export type ReleaseSbomsRepository = ReturnType<typeof releaseSbomsRepository>

export function releaseSbomsRepository(db: Executor) {
  return {
    async ofRelease(releaseId: string): Promise<ReleaseSbom | undefined> {
      const row = await db
        .selectFrom('release_sboms')
        .selectAll()
        .where('release_id', '=', releaseId)
        .executeTakeFirst()
      return row && toSbom(row)
    },

    async save(made: ReleaseSbom): Promise<void> {
      const values = {
        release_digest: made.releaseDigest,
        digest: made.digest,
        content: JSON.stringify(made.sbom),
        imported_at: made.importedAt,
        imported_by: made.importedBy,
        imported_by_name: made.importedByName,
      }
      await db
        .insertInto('release_sboms')
        .values({ release_id: made.releaseId, ...values })
        .onConflict((conflict) => conflict.column('release_id').doUpdateSet(values))
        .execute()
    },

    /** Releases of which nobody knows yet what advisories mean for them. */
    async toLookAt(limit: number): Promise<readonly ReleaseToLookAt[]> {
      const rows = await db
        .selectFrom('releases')
        .innerJoin('products', 'products.id', 'releases.product_id')
        .leftJoin('release_sboms', 'release_sboms.release_id', 'releases.id')
        .leftJoin('inventory_releases', 'inventory_releases.release_id', 'releases.id')
        .select(['releases.id', 'releases.name', 'releases.digest', 'products.vendor', 'products.model'])
        .select(['release_sboms.digest as sbom_digest', 'release_sboms.release_digest', 'inventory_releases.basis'])
        .execute()
      const open = rows.flatMap((row) => {
        const isOwn = row.release_digest !== null && toHex(row.release_digest) === toHex(row.digest)
        const basis = `${toHex(row.digest)} ${isOwn ? row.sbom_digest : ''}`
        return row.basis === basis ? [] : [{ ...row, isOwn, basis }]
      })
      const found: ReleaseToLookAt[] = []
      for (const { id, name, digest, vendor, model, isOwn, basis } of open.slice(0, limit)) {
        const sbom = isOwn ? ((await this.ofRelease(id))?.sbom ?? null) : null
        found.push({ id, name, digest, vendor, model, sbom, basis })
      }
      return found
    },

    async setInventory(releaseId: string, inventory: number, basis: string): Promise<void> {
      const values = { inventory_id: inventory, basis }
      await db
        .insertInto('inventory_releases')
        .values({ release_id: releaseId, ...values })
        .onConflict((conflict) => conflict.column('release_id').doUpdateSet(values))
        .execute()
    },

    /** Inventories by release, of those that were looked at. */
    async inventories(releaseIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
      if (releaseIds.length === 0) return new Map()
      const rows = await db
        .selectFrom('inventory_releases')
        .select(['release_id', 'inventory_id'])
        .where('release_id', 'in', [...releaseIds])
        .execute()
      return new Map(rows.map((row) => [row.release_id, row.inventory_id]))
    },

    /** Inventories of the devices that run a release, and how many devices have each. */
    async devicesOf(
      releaseId: string,
    ): Promise<readonly { readonly inventory: number | null; readonly count: number }[]> {
      const rows = await db
        .selectFrom('device_states')
        .innerJoin('devices', 'devices.id', 'device_states.device_id')
        .leftJoin('inventory_postures', (join) =>
          join
            .onRef('inventory_postures.vendor', '=', 'devices.vendor')
            .onRef('inventory_postures.posture_digest', '=', 'device_states.posture_digest'),
        )
        .select('inventory_postures.inventory_id as inventory')
        .select(sql<number | string>`count(*)`.as('count'))
        .where('devices.enrolment', '=', 'active')
        .where('device_states.release_id', '=', releaseId)
        .groupBy('inventory_postures.inventory_id')
        .execute()
      return rows.map(({ inventory, count }) => ({ inventory, count: Number(count) }))
    },
  }
}
