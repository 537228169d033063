import { sql } from 'kysely'
import type { Executor } from './database.ts'
import { gapEdgeColumns, gapsOf, isExplained } from './session-gaps.ts'

/** Of the sessions of a product that were first heard of since a time. */
export interface ReportNumbers {
  readonly held: number
  /** Before the newest of their session, and never arrived. */
  readonly missing: number
  /** The same, where a restore of the database explains it: they may well have arrived, and were lost with it. */
  readonly restored: number
}

/** How many numbered reports arrived, and how many did not. */
export async function reportNumbers(db: Executor, productId: string, since: number): Promise<ReportNumbers> {
  const sessions = db
    .selectFrom('sessions')
    .innerJoin('devices', 'devices.id', 'sessions.device_id')
    .where('devices.product_id', '=', productId)
    .where('devices.enrolment', '=', 'active')
    .where('sessions.first_seen_at', '>=', since)
  const whole = await sessions
    .select(sql<number | string>`coalesce(sum(sessions.contiguous_to + 1), 0)`.as('held'))
    .executeTakeFirstOrThrow()
  const gapped = sessions.where('sessions.extra', '<>', '[]')
  const broken = await gapped
    .select(['sessions.device_id', 'sessions.session', 'sessions.contiguous_to', 'sessions.extra'])
    .execute()
  const restores = broken.length === 0 ? [] : await db.selectFrom('restore_points').select('restored_at').execute()
  const runs =
    restores.length === 0
      ? []
      : await gapped
          .innerJoin('evidence_runs', (join) =>
            join
              .onRef('evidence_runs.device_id', '=', 'sessions.device_id')
              .onRef('evidence_runs.session', '=', 'sessions.session'),
          )
          .select(gapEdgeColumns)
          .execute()
  let [held, missing, restored] = [Number(whole.held), 0, 0]
  for (const { extra } of broken) {
    for (const [first, last] of JSON.parse(extra) as [number, number][]) held += last - first + 1
  }
  for (const gap of gapsOf(broken, runs)) {
    const size = gap.last - gap.first + 1
    if (restores.some(({ restored_at: at }) => isExplained(gap, at))) restored += size
    else missing += size
  }
  return { held, missing, restored }
}
