import type { Selectable } from 'kysely'
import type { AdvisorySeverity } from '../../shared/maturity/events/kinds.ts'
import type { Executor } from './database.ts'
import type { TrackedAdvisoriesTable } from './schema-advisories.ts'

/** An advisory that devices of a product were affected by, since it was watched. Times are ms since 1970. */
export interface TrackedAdvisory {
  readonly advisory: string
  /** Known to be used in attacks: then it is critical, whatever its severity. */
  readonly severity: AdvisorySeverity
  readonly exploited: boolean
  readonly publishedAt: number
  readonly knownAt: number
  readonly exposedAt: number
  /** When a version with the fix was first known. */
  readonly fixKnownAt: number | null
  /** Since when no device is affected any more. */
  readonly patchedAt: number | null
  /** Devices are affected, and nothing of it counts: see ProductStatement. */
  readonly isSettled: boolean
}

const toTracked = (row: Selectable<TrackedAdvisoriesTable>): TrackedAdvisory => ({
  advisory: row.advisory,
  severity: row.severity,
  exploited: row.exploited === 1,
  publishedAt: row.published_at,
  knownAt: row.known_at,
  exposedAt: row.exposed_at,
  fixKnownAt: row.fix_known_at,
  patchedAt: row.patched_at,
  isSettled: row.is_settled === 1,
})

export type TrackedAdvisoriesRepository = ReturnType<typeof trackedAdvisoriesRepository>

/** How far each product has come with each advisory that concerned it. */
export function trackedAdvisoriesRepository(db: Executor) {
  return {
    async ofProduct(productId: string): Promise<readonly TrackedAdvisory[]> {
      const rows = await db
        .selectFrom('tracked_advisories')
        .selectAll()
        .where('product_id', '=', productId)
        .orderBy('advisory')
        .execute()
      return rows.map(toTracked)
    },

    /** What was first, stays: when it was published, known, and when devices were first seen with it. */
    async save(productId: string, tracked: TrackedAdvisory): Promise<void> {
      const changing = {
        severity: tracked.severity,
        exploited: tracked.exploited ? (1 as const) : (0 as const),
        fix_known_at: tracked.fixKnownAt,
        patched_at: tracked.patchedAt,
        is_settled: tracked.isSettled ? (1 as const) : (0 as const),
      }
      await db
        .insertInto('tracked_advisories')
        .values({
          product_id: productId,
          advisory: tracked.advisory,
          published_at: tracked.publishedAt,
          known_at: tracked.knownAt,
          exposed_at: tracked.exposedAt,
          ...changing,
        })
        .onConflict((conflict) => conflict.columns(['product_id', 'advisory']).doUpdateSet(changing))
        .execute()
    },
  }
}
