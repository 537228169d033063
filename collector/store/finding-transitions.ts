import type { FindingTransition } from '../model/finding.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

/** Of a finding that flaps only so many of its newest steps are kept. How often it opened is counted in its row. */
export const KEPT_TRANSITIONS = 200

export type FindingTransitionsRepository = ReturnType<typeof findingTransitionsRepository>

export function findingTransitionsRepository(db: Executor) {
  const trim = async (findingId: string): Promise<void> => {
    const oldest = await db
      .selectFrom('finding_transitions')
      .select('id')
      .where('finding_id', '=', findingId)
      .orderBy('id', 'desc')
      .offset(KEPT_TRANSITIONS)
      .limit(1)
      .executeTakeFirst()
    if (oldest === undefined) return
    await db
      .deleteFrom('finding_transitions')
      .where('finding_id', '=', findingId)
      .where('id', '<=', oldest.id)
      .execute()
  }

  return {
    async append(findingId: string, transition: FindingTransition): Promise<void> {
      const { before, after, evidenceHash, ...same } = transition
      await db
        .insertInto('finding_transitions')
        .values({
          finding_id: findingId,
          value_before: before,
          value_after: after,
          evidence_hash: evidenceHash,
          ...same,
        })
        .execute()
    },

    /** As `append`, for a finding that has opened before. */
    async appendAgain(findingId: string, transition: FindingTransition): Promise<void> {
      await this.append(findingId, transition)
      await trim(findingId)
    },

    /** Newest first. */
    async list(findingId: string, page: PageRequest): Promise<Page<FindingTransition>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('finding_transitions')
        .selectAll()
        .where('finding_id', '=', findingId)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row) => ({
          at: row.at,
          state: row.state,
          cause: row.cause,
          actor: row.actor,
          before: row.value_before,
          after: row.value_after,
          evidenceHash: row.evidence_hash,
        }),
      )
    },

    /** What each of these findings has been, as far as it is remembered. */
    async valuesOf(findingIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string | null>>> {
      const values = new Map<string, Set<string | null>>()
      if (findingIds.length === 0) return values
      const rows = await db
        .selectFrom('finding_transitions')
        .select(['finding_id', 'value_before', 'value_after'])
        .where('finding_id', 'in', findingIds)
        .execute()
      for (const row of rows) {
        const known = values.get(row.finding_id) ?? new Set()
        values.set(row.finding_id, known.add(row.value_before).add(row.value_after))
      }
      return values
    },
  }
}
