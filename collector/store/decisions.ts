import type { Executor } from './database.ts'

export type DecisionsRepository = ReturnType<typeof decisionsRepository>

/** The entries of the decision log as they were signed. Nothing here changes or removes one. */
export function decisionsRepository(db: Executor) {
  return {
    /** Error: request.conflict when that place is taken. */
    async append(index: number, entry: Uint8Array, appendedAt: number): Promise<void> {
      await db.insertInto('decisions').values({ entry_index: index, entry, appended_at: appendedAt }).execute()
    },

    /** From `index` on, in order. */
    async from(index: number, limit: number): Promise<readonly Uint8Array[]> {
      const rows = await db
        .selectFrom('decisions')
        .select('entry')
        .where('entry_index', '>=', index)
        .orderBy('entry_index')
        .limit(limit)
        .execute()
      return rows.map(({ entry }) => entry)
    },
  }
}
