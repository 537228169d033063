import { sql } from 'kysely'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { EvidenceRun } from '../../model/evidence.ts'
import type { Executor } from '../database.ts'
import { toDevice, toState } from '../device-rows.ts'
import { toRun } from '../evidence-runs.ts'
import { toSession } from '../sessions.ts'
import type { SteadyDevice } from './steady.ts'

/** A backlog fills one gap. One that has left more of them is looked at message by message. */
const MAX_GAPS = 8

/** What `healthy` does not see of it. */
export const isSteady = ({ state, session }: Pick<SteadyDevice, 'state' | 'session'>): boolean =>
  state.bootAwaited === null && state.ima === null && session.extra.length <= MAX_GAPS

/** Three statements for all of the devices: a query for each of them costs more than all that it answers. */
export async function loadSteady(db: Executor, ueids: readonly Ueid[]): Promise<ReadonlyMap<Ueid, SteadyDevice>> {
  const rows = await healthy(db, ueids).execute()
  const found = rows.flatMap((row) => {
    const [state, session] = [toState(row), toSession(row)]
    return isSteady({ state, session }) ? [{ row, state, session }] : []
  })
  const runs = new Map<number, EvidenceRun[]>(found.map(({ row }) => [row.id, []]))
  for (const run of await runsOf(db, [...runs.keys()])) runs.get(run.deviceId)?.push(run)
  const references = await referencesOf(db, [...runs.keys()])
  return new Map(
    found.map(({ row, state, session }) => [
      row.ueid,
      {
        device: toDevice(row),
        state,
        session,
        runs: runs.get(row.id) ?? [],
        recentHashes: row.recent_hashes,
        lastReceiptAt: row.receipt_at,
        lastEpochOfOthers: row.last_epoch_of_others === null ? null : Number(row.last_epoch_of_others),
        ownReference: references.get(row.id) ?? null,
      },
    ]),
  )
}

/** Active, affirming, fresh and without a finding; each with its running agent and the newest message of that. */
function healthy(db: Executor, ueids: readonly Ueid[]) {
  return (
    db
      .selectFrom('devices')
      .innerJoin('device_states', 'device_states.device_id', 'devices.id')
      .innerJoin('sessions', (join) =>
        join
          .onRef('sessions.device_id', '=', 'devices.id')
          .onRef('sessions.session', '=', 'device_states.fresh_session'),
      )
      .innerJoin('newest_evidence', (join) =>
        join
          .onRef('newest_evidence.device_id', '=', 'devices.id')
          .onRef('newest_evidence.session', '=', 'device_states.fresh_session')
          .onRef('newest_evidence.seq', '=', 'device_states.fresh_sequence'),
      )
      .selectAll(['devices', 'device_states', 'sessions'])
      .select('newest_evidence.recent_hashes')
      .select((row) => [
        row
          .selectFrom('receipts')
          .select('issued_at')
          .whereRef('receipts.device_id', '=', 'devices.id')
          .whereRef('receipts.number', '=', 'device_states.last_receipt_number')
          .as('receipt_at'),
        row
          .selectFrom('sessions as others')
          .select(({ fn }) => fn.max('others.last_epoch').as('last_epoch'))
          .whereRef('others.device_id', '=', 'devices.id')
          .whereRef('others.session', '<>', 'device_states.fresh_session')
          .as('last_epoch_of_others'),
      ])
      .where('devices.ueid', 'in', ueids)
      .where('devices.enrolment', '=', 'active')
      .where('device_states.verdict', '=', 'affirming')
      .where('device_states.latch', '=', 'none')
      // One that was away is told of, by the way that all take whose state changes.
      .where('device_states.liveness', '=', 'fresh')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('findings')
              .select('findings.id')
              .whereRef('findings.device_id', '=', 'devices.id')
              .where('findings.state', '<>', 'resolved'),
          ),
        ),
      )
  )
}

/** From the run that holds the last number without a gap on: all that a number beyond it can adjoin. */
async function runsOf(db: Executor, deviceIds: readonly number[]): Promise<readonly EvidenceRun[]> {
  if (deviceIds.length === 0) return []
  const rows = await db
    .selectFrom('device_states')
    .innerJoin('sessions', (join) =>
      join
        .onRef('sessions.device_id', '=', 'device_states.device_id')
        .onRef('sessions.session', '=', 'device_states.fresh_session'),
    )
    .innerJoin('evidence_runs', (join) =>
      join
        .onRef('evidence_runs.device_id', '=', 'sessions.device_id')
        .onRef('evidence_runs.session', '=', 'sessions.session'),
    )
    .selectAll('evidence_runs')
    .where('device_states.device_id', 'in', deviceIds)
    .where('evidence_runs.first_seq', '>=', ({ selectFrom }) =>
      selectFrom('evidence_runs as earlier')
        .select(({ fn }) => fn.coalesce(fn.max('earlier.first_seq'), sql<number>`0`).as('first_seq'))
        .whereRef('earlier.device_id', '=', 'sessions.device_id')
        .whereRef('earlier.session', '=', 'sessions.session')
        .whereRef('earlier.first_seq', '<=', 'sessions.contiguous_to'),
    )
    .execute()
  return rows.map(toRun)
}

/** Apart from the others: no index leads from a device to these, so that all of them are looked through once. */
async function referencesOf(db: Executor, deviceIds: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (deviceIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('reference_values')
    .select(({ fn }) => ['device_id', fn.max('id').as('id')])
    .where('device_id', 'in', deviceIds)
    .groupBy('device_id')
    .$narrowType<{ device_id: number }>()
    .execute()
  return new Map(rows.map(({ device_id, id }) => [device_id, id]))
}
