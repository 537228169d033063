import type { RecordedInterval } from '../liveness/downtime.ts'
import type { Executor } from './database.ts'

const columns = ['kind', 'from_at as from', 'to_at as to', 'cause'] as const

export type CollectorIntervalsRepository = ReturnType<typeof collectorIntervalsRepository>

/** When collectors took evidence: each prolongs its own newest rows, all read those of all. */
export function collectorIntervalsRepository(db: Executor) {
  return {
    /** Gives the key of the new interval. */
    async begin(replica: string, { kind, from, to, cause }: RecordedInterval): Promise<number> {
      const row = { replica, kind, from_at: from, to_at: to, cause }
      const { id } = await db.insertInto('collector_intervals').values(row).returning('id').executeTakeFirstOrThrow()
      return Number(id)
    },

    /** False where the interval is not there any more. */
    async prolong(id: number, to: number): Promise<boolean> {
      const result = await db
        .updateTable('collector_intervals')
        .set({ to_at: to })
        .where('id', '=', id)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    /** Those that reach beyond `time`, and the last one before: what lies between them is downtime. By their beginning. */
    async since(time: number): Promise<readonly RecordedInterval[]> {
      const recent = await db.selectFrom('collector_intervals').select(columns).where('to_at', '>=', time).execute()
      const before = await db
        .selectFrom('collector_intervals')
        .select(columns)
        .where('to_at', '<', time)
        .where('kind', '=', 'up')
        .orderBy('to_at', 'desc')
        .limit(1)
        .execute()
      return [...before, ...recent].sort((one, other) => one.from - other.from)
    },

    /** The latest moment that any collector has written down; null before the first. */
    async newest(): Promise<number | null> {
      const row = await db
        .selectFrom('collector_intervals')
        .select('to_at')
        .orderBy('to_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row?.to_at ?? null
    },

    /** When each of the other collectors that are known was there last, by its own clock. */
    async newestByReplica(except: string): Promise<ReadonlyMap<string, number>> {
      const rows = await db
        .selectFrom('collector_intervals')
        .select(({ fn }) => ['replica', fn.max('to_at').as('to')])
        .where('kind', '=', 'up')
        .where('replica', '<>', except)
        .groupBy('replica')
        .execute()
      return new Map(rows.map(({ replica, to }) => [replica, Number(to)]))
    },

    /** Forgets what ended before `time`, at most `limit`; how many. The last one before stays. */
    async forgetBefore(time: number, limit: number): Promise<number> {
      const old = db
        .selectFrom('collector_intervals')
        .select('id')
        .where('to_at', '<', time)
        .orderBy('to_at', 'desc')
        .offset(1)
        .limit(limit)
      const { numDeletedRows } = await db
        .deleteFrom('collector_intervals')
        .where('id', 'in', old)
        .executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}
