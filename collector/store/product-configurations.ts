import type { Selectable } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { PostureCondition } from '../../shared/advisories/posture-condition.ts'
import { NOTHING_KNOWN, type Meeting, type Met, type ProductConfiguration } from '../model/product-statement.ts'
import type { Executor } from './database.ts'
import type { ConfigurationPosturesTable, ProductConfigurationsTable } from './schema-advisories.ts'

/** A posture of which nobody knows yet whether it meets a configuration. */
export interface PostureToMeet {
  readonly configuration: string
  readonly conditions: readonly PostureCondition[]
  readonly vendor: string
  readonly digest: Uint8Array
  /** JSON object: section id -> digest in hex. */
  readonly sections: string
}

const conditionsFrom = (text: string): readonly PostureCondition[] => JSON.parse(text) as PostureCondition[]

const toConfiguration = (row: Selectable<ProductConfigurationsTable>): ProductConfiguration => ({
  id: row.id,
  productId: row.product_id,
  name: row.name,
  conditions: conditionsFrom(row.conditions),
  createdAt: row.created_at,
  createdBy: row.created_by,
  createdByName: row.created_by_name,
})

export type ProductConfigurationsRepository = ReturnType<typeof productConfigurationsRepository>

/** Configurations of products, and which postures meet them. */
export function productConfigurationsRepository(db: Executor) {
  const decided = () =>
    db
      .selectFrom('configuration_postures')
      .select(['configuration_id', 'posture_digest', 'is_met'])
      .where('is_met', '!=', STORED.unknown)

  return {
    /** Error: request.conflict when the product has one of that name. */
    async add(one: ProductConfiguration): Promise<void> {
      await db
        .insertInto('product_configurations')
        .values({
          id: one.id,
          product_id: one.productId,
          name: one.name,
          conditions: JSON.stringify(one.conditions),
          created_at: one.createdAt,
          created_by: one.createdBy,
          created_by_name: one.createdByName,
        })
        .execute()
    },

    async byId(id: string): Promise<ProductConfiguration | undefined> {
      const row = await db.selectFrom('product_configurations').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toConfiguration(row)
    },

    async ofProduct(productId: string): Promise<readonly ProductConfiguration[]> {
      const rows = await db
        .selectFrom('product_configurations')
        .selectAll()
        .where('product_id', '=', productId)
        .orderBy('name')
        .execute()
      return rows.map(toConfiguration)
    },

    /** Whether a statement was ever made for it: then it stays, since that says what was covered. */
    async isNamed(id: string): Promise<boolean> {
      const row = await db
        .selectFrom('advisory_exclusions')
        .select('id')
        .where('configuration_id', '=', id)
        .executeTakeFirst()
      return row !== undefined
    },

    async remove(id: string): Promise<void> {
      await db.deleteFrom('configuration_postures').where('configuration_id', '=', id).execute()
      await db.deleteFrom('product_configurations').where('id', '=', id).execute()
    },

    /** Those after `last`, in one order. */
    async toLookAt(
      limit: number,
      last?: Pick<PostureToMeet, 'configuration' | 'digest'>,
    ): Promise<readonly PostureToMeet[]> {
      let query = db
        .selectFrom('product_configurations')
        .innerJoin('products', 'products.id', 'product_configurations.product_id')
        .innerJoin('postures', 'postures.vendor', 'products.vendor')
        .leftJoin('configuration_postures', (join) =>
          join
            .onRef('configuration_postures.configuration_id', '=', 'product_configurations.id')
            .onRef('configuration_postures.posture_digest', '=', 'postures.digest'),
        )
        .select(['product_configurations.id as configuration', 'product_configurations.conditions'])
        .select(['postures.vendor', 'postures.digest', 'postures.sections'])
        .where('configuration_postures.configuration_id', 'is', null)
        .orderBy('product_configurations.id')
        .orderBy('postures.digest')
        .limit(limit)
      if (last !== undefined) {
        query = query.where((eb) =>
          eb.or([
            eb('product_configurations.id', '>', last.configuration),
            eb.and([eb('product_configurations.id', '=', last.configuration), eb('postures.digest', '>', last.digest)]),
          ]),
        )
      }
      const rows = await query.execute()
      return rows.map(({ conditions, ...row }) => ({ ...row, conditions: conditionsFrom(conditions) }))
    },

    async setMet(configuration: string, digest: Uint8Array, met: Met): Promise<void> {
      await db
        .insertInto('configuration_postures')
        .values({ configuration_id: configuration, posture_digest: digest, is_met: STORED[met] })
        .onConflict((conflict) => conflict.columns(['configuration_id', 'posture_digest']).doNothing())
        .execute()
    },

    /** By posture, in hexadecimal, what is known of it and of these configurations. */
    async metBy(configurations: readonly string[]): Promise<ReadonlyMap<string, Meeting>> {
      if (configurations.length === 0) return new Map()
      return meetings(
        await decided()
          .where('configuration_id', 'in', [...configurations])
          .execute(),
      )
    },

    /** Of one posture, and all configurations. */
    async metByPosture(digest: Uint8Array): Promise<Meeting> {
      const found = meetings(await decided().where('posture_digest', '=', digest).execute())
      return found.get(toHex(digest)) ?? NOTHING_KNOWN
    },
  }
}

/** 2: it was read whole and does not tell, which stays so. */
const STORED = { met: 1, 'not-met': 0, unknown: 2 } as const

type Decided = Pick<ConfigurationPosturesTable, 'configuration_id' | 'posture_digest' | 'is_met'>

function meetings(rows: readonly Decided[]): ReadonlyMap<string, Meeting> {
  const found = new Map<string, { readonly met: Set<string>; readonly notMet: Set<string> }>()
  for (const { configuration_id: id, posture_digest: digest, is_met: isMet } of rows) {
    const key = toHex(digest)
    const one = found.get(key) ?? { met: new Set(), notMet: new Set() }
    found.set(key, one)
    if (isMet === STORED.met) one.met.add(id)
    else one.notMet.add(id)
  }
  return found
}
