import type { Selectable } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { PostureCondition } from '../../shared/advisories/posture-condition.ts'
import type { ProductConfiguration } from '../model/product-statement.ts'
import type { Executor } from './database.ts'
import type { ProductConfigurationsTable } from './schema-advisories.ts'

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

    async setMet(configuration: string, digest: Uint8Array, isMet: boolean): Promise<void> {
      await db
        .insertInto('configuration_postures')
        .values({ configuration_id: configuration, posture_digest: digest, is_met: isMet ? 1 : 0 })
        .onConflict((conflict) => conflict.columns(['configuration_id', 'posture_digest']).doNothing())
        .execute()
    },

    /** By posture, in hexadecimal, the ids of these configurations that it meets. */
    async metBy(configurations: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
      const met = new Map<string, Set<string>>()
      if (configurations.length === 0) return met
      const rows = await db
        .selectFrom('configuration_postures')
        .select(['configuration_id', 'posture_digest'])
        .where('configuration_id', 'in', [...configurations])
        .where('is_met', '=', 1)
        .execute()
      for (const { configuration_id: id, posture_digest: digest } of rows) {
        const key = toHex(digest)
        const known = met.get(key)
        if (known === undefined) met.set(key, new Set([id]))
        else known.add(id)
      }
      return met
    },

    /** Of one posture. */
    async metByPosture(digest: Uint8Array): Promise<ReadonlySet<string>> {
      const rows = await db
        .selectFrom('configuration_postures')
        .select('configuration_id')
        .where('posture_digest', '=', digest)
        .where('is_met', '=', 1)
        .execute()
      return new Set(rows.map(({ configuration_id: id }) => id))
    },
  }
}
