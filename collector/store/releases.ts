import type { Selectable } from 'kysely'
import type { Act, Person, Release } from '../model/release.ts'
import type { Executor } from './database.ts'
import type { ReleasesTable } from './schema-content.ts'

/** All columns but the document, which is read where devices are judged by it and where it is shown. */
const columns = [
  'id',
  'product_id',
  'name',
  'digest',
  'state',
  'authors',
  'created_at',
  'approved',
  'countersigned',
  'release_order',
  'activated_at',
  'superseded_at',
  'accepted_until',
  'revoked_at',
  'is_minimum',
] as const

const toAct = (text: string | null): Act | null => (text === null ? null : (JSON.parse(text) as Act))

function toRelease(row: Omit<Selectable<ReleasesTable>, 'document'>): Release {
  return {
    id: row.id,
    productId: row.product_id,
    name: row.name,
    digest: row.digest,
    state: row.state,
    authors: JSON.parse(row.authors) as Person[],
    createdAt: row.created_at,
    approved: toAct(row.approved),
    countersigned: toAct(row.countersigned),
    order: row.release_order,
    activatedAt: row.activated_at,
    supersededAt: row.superseded_at,
    acceptedUntil: row.accepted_until,
    revokedAt: row.revoked_at,
    isMinimum: row.is_minimum === 1,
  }
}

function toRow(release: Release): Omit<ReleasesTable, 'document'> {
  return {
    id: release.id,
    product_id: release.productId,
    name: release.name,
    digest: release.digest,
    state: release.state,
    authors: JSON.stringify(release.authors),
    created_at: release.createdAt,
    approved: release.approved === null ? null : JSON.stringify(release.approved),
    countersigned: release.countersigned === null ? null : JSON.stringify(release.countersigned),
    release_order: release.order,
    activated_at: release.activatedAt,
    superseded_at: release.supersededAt,
    accepted_until: release.acceptedUntil,
    revoked_at: release.revokedAt,
    is_minimum: release.isMinimum ? 1 : 0,
  }
}

export type ReleasesRepository = ReturnType<typeof releasesRepository>

/**
 * Releases of products. Each change of one makes the product's release version grow, by which whoever keeps releases
 * in memory knows that they are others now.
 */
export function releasesRepository(db: Executor) {
  const all = () => db.selectFrom('releases').select(columns)

  async function touch(productId: string): Promise<void> {
    await db
      .updateTable('products')
      .set(({ eb }) => ({ release_version: eb('release_version', '+', 1) }))
      .where('id', '=', productId)
      .execute()
  }

  return {
    /** Error: request.conflict when the product has a release of this name. */
    async insert(release: Release, document: Uint8Array): Promise<void> {
      await db
        .insertInto('releases')
        .values({ ...toRow(release), document })
        .execute()
      await touch(release.productId)
    },

    async save(release: Release, document?: Uint8Array): Promise<void> {
      const { id, ...values } = toRow(release)
      await db
        .updateTable('releases')
        .set({ ...values, ...(document === undefined ? {} : { document }) })
        .where('id', '=', id)
        .execute()
      await touch(release.productId)
    },

    async byId(id: string): Promise<Release | undefined> {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : toRelease(row)
    },

    /** Newest first. */
    async ofProduct(productId: string): Promise<readonly Release[]> {
      const rows = await all().where('product_id', '=', productId).orderBy('id', 'desc').execute()
      return rows.map(toRelease)
    },

    /** Canonical CBOR: collector/releases/document.ts. */
    async documentOf(id: string): Promise<Uint8Array | undefined> {
      const row = await db.selectFrom('releases').select('document').where('id', '=', id).executeTakeFirst()
      return row?.document
    },

    /** Grows with each change of a release of the product; 0: there never was one. */
    async versionOf(productId: string): Promise<number> {
      const row = await db
        .selectFrom('products')
        .select('release_version')
        .where('id', '=', productId)
        .executeTakeFirst()
      return row?.release_version ?? 0
    },

    /** Products that have, or had, releases in force. */
    async productsWithReleases(): Promise<readonly string[]> {
      const rows = await db
        .selectFrom('releases')
        .select('product_id')
        .distinct()
        .where('release_order', 'is not', null)
        .orderBy('product_id')
        .execute()
      return rows.map((row) => row.product_id)
    },

    /** How many devices conform to each release now. */
    async deviceCounts(productId: string): Promise<ReadonlyMap<string | null, number>> {
      const rows = await db
        .selectFrom('device_states')
        .innerJoin('devices', 'devices.id', 'device_states.device_id')
        .select(({ fn }) => ['device_states.release_id', fn.countAll().as('count')])
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .groupBy('device_states.release_id')
        .execute()
      return new Map(rows.map((row) => [row.release_id, Number(row.count)]))
    },

    /** Keys of devices with fresh evidence that were not judged by this set of releases, within a bound. */
    async toJudge(productId: string, judgedBy: string, limit: number): Promise<readonly number[]> {
      const rows = await db
        .selectFrom('device_states')
        .innerJoin('devices', 'devices.id', 'device_states.device_id')
        .select('device_states.device_id as id')
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '<>', 'revoked')
        .where('device_states.fresh_session', 'is not', null)
        .where((or) =>
          or.or([
            or('device_states.release_judged_by', 'is', null),
            or('device_states.release_judged_by', '<>', judgedBy),
          ]),
        )
        .orderBy('device_states.device_id')
        .limit(limit)
        .execute()
      return rows.map((row) => row.id)
    },
  }
}
