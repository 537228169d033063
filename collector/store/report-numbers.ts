import { sql } from 'kysely'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { Executor } from './database.ts'

/** Of the sessions of a product that were first heard of since a time. */
export interface ReportNumbers {
  readonly held: number
  /** Before the newest of their session, and never arrived. */
  readonly missing: number
  /** The same, where a restore of the database explains it: they may well have arrived, and were lost with it. */
  readonly restored: number
}

/** When the reports on both sides of numbers that are not held arrived. */
interface Gap {
  /** null where nothing is held before them. */
  readonly before: number | null
  readonly after: number
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
          .select([
            'evidence_runs.device_id',
            'evidence_runs.session',
            'evidence_runs.first_seq',
            'evidence_runs.last_seq',
            'evidence_runs.first_received_at',
            'evidence_runs.last_received_at',
          ])
          .execute()
  const place = (device: number, session: Uint8Array, seq: number): string => `${device} ${toHex(session)} ${seq}`
  const beginnings = new Map(runs.map((run) => [place(run.device_id, run.session, run.first_seq), run]))
  const ends = new Map(runs.map((run) => [place(run.device_id, run.session, run.last_seq), run]))
  let [held, missing, restored] = [Number(whole.held), 0, 0]
  for (const { device_id: device, session, contiguous_to: contiguousTo, extra } of broken) {
    let next = contiguousTo + 1
    for (const [first, last] of JSON.parse(extra) as [number, number][]) {
      const after = beginnings.get(place(device, session, first))?.first_received_at
      const before = next === 0 ? null : ends.get(place(device, session, next - 1))?.last_received_at
      const size = first - next
      const isKnown = after !== undefined && before !== undefined
      if (isKnown && restores.some(({ restored_at: at }) => isExplained({ before, after }, at))) restored += size
      else missing += size
      held += last - first + 1
      next = last + 1
    }
  }
  return { held, missing, restored }
}

/**
 * What is on one side arrived before the database was put back, and what is on the other after that. A session of which
 * nothing from before is known may have begun between the backup and the restore, and then its beginning is lost.
 */
function isExplained({ before, after }: Gap, restoredAt: number): boolean {
  return (before === null || before < restoredAt) && restoredAt <= after
}
