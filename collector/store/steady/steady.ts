import { equal } from '../../../shared/bytes/bytes.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Device, DeviceState } from '../../model/device.ts'
import type { EvidenceRecord, EvidenceRun, Session } from '../../model/evidence.ts'
import type { Executor } from '../database.ts'
import { toDevice, toState } from '../device-rows.ts'
import { toRun } from '../evidence-runs.ts'
import { toSession } from '../sessions.ts'
import { bulkUpdate, type BulkTable } from './bulk-update.ts'

/** Everything of one device that its next usual report bears on. */
export interface SteadyDevice {
  readonly device: Device
  readonly state: DeviceState
  /** The running agent, whose messages are all held. */
  readonly session: Session
  /** The run that its newest message is the last one of. */
  readonly run: EvidenceRun
  readonly recentHashes: Uint8Array
  /** ms since 1970; null before the first receipt. */
  readonly lastReceiptAt: number | null
  /** Newest reference values of its own; null where it has none. */
  readonly ownReference: string | null
}

/** What a device has come to by reports that told nothing new. */
export interface Advance {
  readonly deviceId: number
  readonly state: DeviceState
  readonly session: Session
  readonly run: EvidenceRun
  readonly newest: EvidenceRecord
  readonly recentHashes: Uint8Array
}

const STATES: BulkTable = {
  table: 'device_states',
  keys: 1,
  columns: [
    ['device_id', 'bigint'],
    ['last_received_at', 'bigint'],
    ['last_fresh_at', 'bigint'],
    ['last_fresh_epoch', 'bigint'],
    ['fresh_extended', 'bigint'],
    ['fresh_sequence', 'bigint'],
    ['tpm_clock_ms', 'text'],
    ['tpm_reset_count', 'bigint'],
    ['tpm_restart_count', 'bigint'],
    ['tpm_observed_at', 'bigint'],
    ['last_receipt_number', 'bigint'],
  ],
}
const RUNS: BulkTable = {
  table: 'evidence_runs',
  keys: 1,
  columns: [
    ['id', 'bigint'],
    ['last_seq', 'bigint'],
    ['head_hash', 'bytea'],
    ['newest_epoch', 'bigint'],
    ['last_received_at', 'bigint'],
  ],
}
const NEWEST: BulkTable = {
  table: 'newest_evidence',
  keys: 1,
  columns: [
    ['device_id', 'bigint'],
    ['seq', 'bigint'],
    ['hash', 'bytea'],
    ['previous', 'bytea'],
    ['epoch', 'bigint'],
    ['received_at', 'bigint'],
    ['bytes', 'bytea'],
    ['recent_hashes', 'bytea'],
  ],
}
const SESSIONS: BulkTable = {
  table: 'sessions',
  keys: 2,
  columns: [
    ['device_id', 'bigint'],
    ['session', 'bytea'],
    ['contiguous_to', 'bigint'],
    ['last_epoch', 'bigint'],
  ],
}

export type SteadyRepository = ReturnType<typeof steadyRepository>

/** Many devices at once, for ingest: a query for each device costs more than all that it answers. */
export function steadyRepository(db: Executor) {
  return {
    /**
     * Those of the devices whose last report told nothing new: active, affirming, without a finding or a gap. The
     * caller has locked them.
     */
    async load(ueids: readonly Ueid[]): Promise<ReadonlyMap<Ueid, SteadyDevice>> {
      const devices = await db.selectFrom('devices').selectAll().where('ueid', 'in', ueids).execute()
      const ids = devices.map(({ id }) => id)
      if (ids.length === 0) return new Map()
      const states = byDevice(await db.selectFrom('device_states').selectAll().where('device_id', 'in', ids).execute())
      const sessions = byDevice(
        await db
          .selectFrom('sessions')
          .innerJoin('device_states', (join) =>
            join
              .onRef('device_states.device_id', '=', 'sessions.device_id')
              .onRef('device_states.fresh_session', '=', 'sessions.session'),
          )
          .selectAll('sessions')
          .where('sessions.device_id', 'in', ids)
          .execute(),
      )
      const runs = byDevice(
        await db
          .selectFrom('evidence_runs')
          .innerJoin('newest_evidence', (join) =>
            join
              .onRef('newest_evidence.device_id', '=', 'evidence_runs.device_id')
              .onRef('newest_evidence.session', '=', 'evidence_runs.session')
              .onRef('newest_evidence.seq', '=', 'evidence_runs.last_seq'),
          )
          .selectAll('evidence_runs')
          .select('newest_evidence.recent_hashes as recentHashes')
          .where('evidence_runs.device_id', 'in', ids)
          .execute(),
      )
      const others = byDevice(
        await db
          .selectFrom('sessions')
          .innerJoin('device_states', 'device_states.device_id', 'sessions.device_id')
          .select(({ fn }) => ['sessions.device_id', fn.max('sessions.last_epoch').as('lastEpoch')])
          .where('sessions.device_id', 'in', ids)
          .where('sessions.last_epoch', 'is not', null)
          .whereRef('sessions.session', '<>', 'device_states.fresh_session')
          .groupBy('sessions.device_id')
          .execute(),
      )
      const withFinding = byDevice(
        await db
          .selectFrom('findings')
          .select('device_id')
          .distinct()
          .where('device_id', 'in', ids)
          .where('state', '<>', 'resolved')
          .execute(),
      )
      const receipts = byDevice(
        await db
          .selectFrom('receipts')
          .innerJoin('device_states', (join) =>
            join
              .onRef('device_states.device_id', '=', 'receipts.device_id')
              .onRef('device_states.last_receipt_number', '=', 'receipts.number'),
          )
          .select(['receipts.device_id', 'receipts.issued_at as issuedAt'])
          .where('receipts.device_id', 'in', ids)
          .execute(),
      )
      const references = byDevice(
        await db
          .selectFrom('reference_values')
          .select(({ fn }) => ['device_id', fn.max('id').as('id')])
          .where('device_id', 'in', ids)
          .groupBy('device_id')
          .$narrowType<{ device_id: number }>()
          .execute(),
      )
      const steady = new Map<Ueid, SteadyDevice>()
      for (const row of devices) {
        const [stateRow, sessionRow, runRow] = [states.get(row.id), sessions.get(row.id), runs.get(row.id)]
        if (stateRow === undefined || sessionRow === undefined || runRow === undefined || withFinding.has(row.id))
          continue
        const found: SteadyDevice = {
          device: toDevice(row),
          state: toState(stateRow),
          session: toSession(sessionRow),
          run: toRun(runRow),
          recentHashes: runRow.recentHashes,
          lastReceiptAt: receipts.get(row.id)?.issuedAt ?? null,
          ownReference: references.get(row.id)?.id ?? null,
        }
        const lastOther = others.get(row.id)?.lastEpoch ?? null
        if (isSteady(found, lastOther === null ? null : Number(lastOther))) steady.set(row.ueid, found)
      }
      return steady
    },

    /** Newest reference values of the product as a whole. */
    async referenceOfProduct(productId: string): Promise<string | null> {
      const row = await db
        .selectFrom('reference_values')
        .select(({ fn }) => fn.max('id').as('id'))
        .where('product_id', '=', productId)
        .where('device_id', 'is', null)
        .executeTakeFirst()
      return row?.id ?? null
    },

    async advance(advances: readonly Advance[]): Promise<void> {
      await bulkUpdate(
        db,
        STATES,
        advances.map(({ deviceId, state }) => [
          deviceId,
          state.lastReceivedAt,
          state.lastFreshAt,
          state.lastFreshEpoch,
          state.freshExtended ? 1 : 0,
          state.freshSequence,
          state.tpmClock?.clockMs.toString() ?? null,
          state.tpmClock?.resetCount ?? null,
          state.tpmClock?.restartCount ?? null,
          state.tpmClock?.observedAt ?? null,
          state.lastReceiptNumber,
        ]),
      )
      await bulkUpdate(
        db,
        RUNS,
        advances.map(({ run }) => [run.id, run.lastSeq, run.headHash, run.newestEpoch, run.lastReceivedAt]),
      )
      await bulkUpdate(
        db,
        NEWEST,
        advances.map(({ deviceId, newest, recentHashes }) => [
          deviceId,
          newest.seq,
          newest.hash,
          newest.previous,
          newest.epoch,
          newest.receivedAt,
          newest.bytes,
          recentHashes,
        ]),
      )
      await bulkUpdate(
        db,
        SESSIONS,
        advances.map(({ deviceId, session }) => [deviceId, session.session, session.contiguousTo, session.lastEpoch]),
      )
    },
  }
}

const byDevice = <Row extends { readonly device_id: number }>(rows: readonly Row[]): ReadonlyMap<number, Row> =>
  new Map(rows.map((row) => [row.device_id, row]))

function isSteady({ device, state, session, run }: SteadyDevice, lastOther: number | null): boolean {
  return (
    device.enrolment === 'active' &&
    state.verdict === 'affirming' &&
    state.latch === 'none' &&
    // One that was away is told of, by the way that all take whose state changes.
    state.liveness === 'fresh' &&
    state.bootAwaited === null &&
    state.ima === null &&
    session.extra.length === 0 &&
    session.contiguousTo === state.freshSequence &&
    run.lastSeq === state.freshSequence &&
    equal(run.session, session.session) &&
    // Another agent that was heard of within the life of this one: that is for the appraisal to look at.
    (lastOther === null || (session.firstEpoch !== null && lastOther <= session.firstEpoch))
  )
}
