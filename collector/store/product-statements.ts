import type { Labels } from '../model/labels.ts'
import { labelsText, type ProductStatement } from '../model/product-statement.ts'
import type { Executor } from './database.ts'

export type ProductStatementsRepository = ReturnType<typeof productStatementsRepository>

/** What people say of advisories for products: what does not matter, and what is not affected. */
export function productStatementsRepository(db: Executor) {
  const all = () =>
    db
      .selectFrom('advisory_exclusions')
      .leftJoin('releases', 'releases.id', 'advisory_exclusions.release_id')
      .leftJoin('product_configurations', 'product_configurations.id', 'advisory_exclusions.configuration_id')
      .selectAll('advisory_exclusions')
      .select(['releases.name as release_name', 'product_configurations.name as configuration_name'])
      .orderBy('advisory_exclusions.id', 'desc')
  type Row = Awaited<ReturnType<ReturnType<typeof all>['execute']>>[number]

  return {
    async add(said: ProductStatement): Promise<void> {
      const { environment } = said
      await db
        .insertInto('advisory_exclusions')
        .values({
          id: said.id,
          product_id: said.productId,
          advisory: said.advisory,
          package: said.package,
          reason: said.reason,
          created_at: said.createdAt,
          created_by: said.createdBy,
          created_by_name: said.createdByName,
          expires_at: said.expiresAt,
          verdict: said.verdict,
          justification: said.justification,
          release_id: said.release?.id ?? null,
          configuration_id: said.configuration?.id ?? null,
          group_id: environment?.groupId ?? null,
          environment_name: environment?.name ?? null,
          environment_labels: environment === null ? null : JSON.stringify(environment.labels),
          ended_at: said.endedAt,
        })
        .execute()
    },

    async byId(id: string): Promise<ProductStatement | undefined> {
      const row = await all().where('advisory_exclusions.id', '=', id).executeTakeFirst()
      return row && toStatement(row)
    },

    /** Those that count at this time, of a product or of all. */
    async inForce(now: number, productId?: string): Promise<readonly ProductStatement[]> {
      let query = all()
        .where('advisory_exclusions.expires_at', '>', now)
        .where('advisory_exclusions.ended_at', 'is', null)
      if (productId !== undefined) query = query.where('advisory_exclusions.product_id', '=', productId)
      return (await query.execute()).map(toStatement)
    },

    /** Newest first, with those that are over, which nobody should have to search for. */
    async list(
      limit: number,
      { productId, advisory }: Partial<Pick<ProductStatement, 'productId' | 'advisory'>> = {},
    ): Promise<readonly ProductStatement[]> {
      let query = all().limit(limit)
      if (productId !== undefined) query = query.where('advisory_exclusions.product_id', '=', productId)
      if (advisory !== undefined) query = query.where('advisory_exclusions.advisory', '=', advisory)
      return (await query.execute()).map(toStatement)
    },

    async end(id: string, by: string, now: number): Promise<void> {
      await db.updateTable('advisory_exclusions').set({ ended_by: by, ended_at: now }).where('id', '=', id).execute()
    },
  }

  function toStatement(row: Row): ProductStatement {
    return {
      id: row.id,
      productId: row.product_id,
      advisory: row.advisory,
      package: row.package,
      verdict: row.verdict,
      justification: row.justification,
      release: row.release_id === null ? null : { id: row.release_id, name: row.release_name ?? '' },
      configuration:
        row.configuration_id === null ? null : { id: row.configuration_id, name: row.configuration_name ?? '' },
      environment: environmentOf(row.group_id, row.environment_name, row.environment_labels),
      reason: row.reason,
      createdAt: row.created_at,
      createdBy: row.created_by,
      createdByName: row.created_by_name,
      expiresAt: row.expires_at,
      endedAt: row.ended_at,
    }
  }
}

function environmentOf(
  groupId: string | null,
  name: string | null,
  text: string | null,
): ProductStatement['environment'] {
  if (text === null) return null
  const labels = JSON.parse(text) as Labels
  return { groupId, name: name ?? labelsText(labels), labels }
}
