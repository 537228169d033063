import type { Selectable } from 'kysely'
import type { FindingCode } from '../../shared/codes/findings.ts'
import type { FindingPolicy } from '../model/finding.ts'
import type { Executor } from './database.ts'
import type { FindingPoliciesTable } from './schema-findings.ts'

function toPolicy(row: Selectable<FindingPoliciesTable>): FindingPolicy {
  const { hysteresis_count: count, hysteresis_of: of, hysteresis_spacing_ms: spacingMs } = row
  return {
    productId: row.product_id,
    code: row.code,
    severity: row.severity,
    hysteresis: count === null || of === null ? null : { count, of, ...(spacingMs === null ? {} : { spacingMs }) },
    setBy: row.set_by,
    setAt: row.set_at,
  }
}

export type FindingPoliciesRepository = ReturnType<typeof findingPoliciesRepository>

export function findingPoliciesRepository(db: Executor) {
  return {
    async ofProduct(productId: string): Promise<ReadonlyMap<FindingCode, FindingPolicy>> {
      const rows = await db
        .selectFrom('finding_policies')
        .selectAll()
        .where('product_id', '=', productId)
        .orderBy('code')
        .execute()
      return new Map(rows.map((row) => [row.code, toPolicy(row)]))
    },

    /** In place of what the product has said about this code before. One that says nothing is removed. */
    async save({ productId, code, severity, hysteresis, setBy, setAt }: FindingPolicy): Promise<void> {
      await db.deleteFrom('finding_policies').where('product_id', '=', productId).where('code', '=', code).execute()
      if (severity === null && hysteresis === null) return
      await db
        .insertInto('finding_policies')
        .values({
          product_id: productId,
          code,
          severity,
          hysteresis_count: hysteresis?.count ?? null,
          hysteresis_of: hysteresis?.of ?? null,
          hysteresis_spacing_ms: hysteresis?.spacingMs ?? null,
          set_by: setBy,
          set_at: setAt,
        })
        .execute()
    },
  }
}
