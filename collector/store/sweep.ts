import { sql } from 'kysely'
import { FINAL_STATES } from '../../shared/decisions/cases/case.ts'
import { transaction, type Executor } from './database.ts'
import { removeMessages } from './evidence-partitions.ts'

/** What is older than these times, ms since 1970, is of no use any more. */
export interface SweepTimes {
  readonly evidence: number
  /** Runs, sessions, epochs, signed results and transitions: what was counted and when. */
  readonly history: number
  /** Also of messages that could not be decided. */
  readonly refusals: number
  /** Of findings: when they were resolved. */
  readonly findings: number
  /** Of PCR values: when they were last used. */
  readonly pcrValues: number
}

export type SweptTable =
  | 'evidence'
  | 'evidence_runs'
  | 'sessions'
  | 'epochs'
  | 'signed_results'
  | 'device_transitions'
  | 'refusals'
  | 'quarantine'
  | 'findings'
  | 'pcr_sets'

type Sweep = (db: Executor, times: SweepTimes, limit: number) => Promise<{ readonly numDeletedRows: bigint | number }>

/**
 * Removes old rows, at most `limit` of each table, so that nobody waits for it long. Nothing is removed that something
 * else still speaks of. Answers with how many were removed.
 */
export async function sweepOnce(
  db: Executor,
  times: SweepTimes,
  limit: number,
): Promise<ReadonlyMap<SweptTable, number>> {
  const removed = new Map<SweptTable, number>()
  for (const [table, sweep] of sweeps) removed.set(table, Number((await sweep(db, times, limit)).numDeletedRows))
  return removed
}

/** In this order: a session goes after its runs, a transition after the result that was signed of it. */
const sweeps: readonly (readonly [SweptTable, Sweep])[] = [
  [
    'evidence',
    (db, { evidence }, limit) => {
      const old = db
        .selectFrom('evidence')
        .select('evidence.id')
        .where('evidence.received_at', '<', evidence)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('findings')
                .select('findings.id')
                .whereRef('findings.device_id', '=', 'evidence.device_id')
                .whereRef('findings.evidence_hash', '=', 'evidence.hash')
                // What an open case is decided on stays, whatever became of the finding since.
                .where(({ or, eb, exists: has, selectFrom: from }) =>
                  or([
                    eb('findings.state', '<>', 'resolved'),
                    has(
                      from('case_findings')
                        .innerJoin('reassessment_cases', 'reassessment_cases.id', 'case_findings.case_id')
                        .select('case_findings.case_id')
                        .whereRef('case_findings.finding_id', '=', 'findings.id')
                        .where('reassessment_cases.state', 'not in', FINAL_STATES),
                    ),
                  ]),
                ),
            ),
          ),
        )
        .orderBy('evidence.received_at')
        .limit(limit)
      return transaction(db, async (inner) => {
        const removed = await inner.deleteFrom('evidence').where('id', 'in', old).returning('id').execute()
        await removeMessages(
          inner,
          removed.map(({ id }) => id),
        )
        return { numDeletedRows: removed.length }
      })
    },
  ],
  [
    'evidence_runs',
    (db, { history }, limit) => {
      const old = db
        .selectFrom('evidence_runs')
        .select('id')
        .where('first_received_at', '<', history)
        .where('last_received_at', '<', history)
        .orderBy('first_received_at')
        .limit(limit)
      // Said again: one that was made longer in the meantime is not old.
      return db
        .deleteFrom('evidence_runs')
        .where('id', 'in', old)
        .where('last_received_at', '<', history)
        .executeTakeFirstOrThrow()
    },
  ],
  [
    'sessions',
    (db, { history }, limit) => {
      // Without its runs nothing of a session is left; that of the running agent stays, however quiet it is.
      const old = sql<number>`(select device_id, session from sessions where first_seen_at < ${history}
        and not exists (select 1 from evidence_runs where evidence_runs.device_id = sessions.device_id
          and evidence_runs.session = sessions.session)
        and not exists (select 1 from device_states where device_states.device_id = sessions.device_id
          and device_states.fresh_session = sessions.session)
        order by first_seen_at limit ${limit})`
      return db
        .deleteFrom('sessions')
        .where(sql<boolean>`(device_id, session) in ${old}`)
        .executeTakeFirstOrThrow()
    },
  ],
  [
    'epochs',
    (db, { history }, limit) => {
      const newest = db.selectFrom('epochs').select(({ fn }) => fn.max('number').as('number'))
      const old = db
        .selectFrom('epochs')
        .select('number')
        .where('issued_at', '<', history)
        .where('number', '<', newest)
        .orderBy('issued_at')
        .limit(limit)
      return db.deleteFrom('epochs').where('number', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'signed_results',
    (db, { history }, limit) => {
      // One about a change that is looked at once more would be signed again.
      const settled = db.selectFrom('result_signing').select('settled')
      const old = db
        .selectFrom('signed_results')
        .select('transition_id')
        .where('issued_at', '<', history)
        .where('transition_id', '<=', settled)
        .orderBy('issued_at')
        .limit(limit)
      return db.deleteFrom('signed_results').where('transition_id', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'device_transitions',
    (db, { history }, limit) => {
      const settled = db.selectFrom('result_signing').select('settled')
      // The last one of each axis stays however old it is: it says since when the device is as it is.
      const old = db
        .selectFrom('device_transitions')
        .select('device_transitions.id')
        .where('device_transitions.at', '<', history)
        .where('device_transitions.id', '<=', settled)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('device_transitions as later')
              .select('later.id')
              .whereRef('later.device_id', '=', 'device_transitions.device_id')
              .whereRef('later.id', '>', 'device_transitions.id')
              .whereRef('later.axis', '=', 'device_transitions.axis'),
          ),
        )
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('signed_results')
                .select('signed_results.transition_id')
                .whereRef('signed_results.transition_id', '=', 'device_transitions.id'),
            ),
          ),
        )
        .orderBy('device_transitions.at')
        .limit(limit)
      return db.deleteFrom('device_transitions').where('id', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'refusals',
    (db, { refusals }, limit) => {
      const old = db
        .selectFrom('refusals')
        .select('id')
        .where('received_at', '<', refusals)
        .orderBy('received_at')
        .limit(limit)
      return db.deleteFrom('refusals').where('id', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'quarantine',
    (db, { refusals }, limit) => {
      const old = db
        .selectFrom('quarantine')
        .select('id')
        .where('last_failed_at', '<', refusals)
        .orderBy('id')
        .limit(limit)
      return db.deleteFrom('quarantine').where('id', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'findings',
    (db, { findings }, limit) => {
      const old = db
        .selectFrom('findings')
        .select('findings.id')
        .where('findings.state', '=', 'resolved')
        .where('findings.resolved_at', '<', findings)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('case_findings')
                .select('case_findings.finding_id')
                .whereRef('case_findings.finding_id', '=', 'findings.id'),
            ),
          ),
        )
        .orderBy('findings.resolved_at')
        .limit(limit)
      return db.deleteFrom('findings').where('id', 'in', old).executeTakeFirstOrThrow()
    },
  ],
  [
    'pcr_sets',
    (db, { pcrValues }, limit) => {
      // One pass over the devices: their states have no index by digest, which each report would have to keep.
      const old = db
        .selectFrom('pcr_sets')
        .leftJoin('device_states', 'device_states.pcr_digest', 'pcr_sets.digest')
        .leftJoin('reference_values', 'reference_values.pcr_digest', 'pcr_sets.digest')
        .select('pcr_sets.digest')
        .where('pcr_sets.last_used_at', '<', pcrValues)
        .where('device_states.device_id', 'is', null)
        .where('reference_values.id', 'is', null)
        .limit(limit)
      return db
        .deleteFrom('pcr_sets')
        .where('digest', 'in', old)
        .where('last_used_at', '<', pcrValues)
        .executeTakeFirstOrThrow()
    },
  ],
]
