import type { Executor } from '../database.ts'
import { bulkUpdate, type BulkTable } from './bulk-update.ts'
import type { Advance } from './steady.ts'

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
    ['steady_mark', 'bigint'],
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
    ['outcome', 'text'],
    ['verdict', 'text'],
    ['pcr_digest', 'bytea'],
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
    ['extra', 'text'],
    ['first_epoch', 'bigint'],
    ['last_epoch', 'bigint'],
  ],
}

/** A statement a table for all of the devices. */
export async function advanceAll(db: Executor, advances: readonly Advance[], mark: number): Promise<void> {
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
      mark,
    ]),
  )
  await bulkUpdate(
    db,
    RUNS,
    advances.flatMap(({ longer }) =>
      longer.map(({ id, lastSeq, headHash, newestEpoch, lastReceivedAt }) => [
        id,
        lastSeq,
        headHash,
        newestEpoch,
        lastReceivedAt,
      ]),
    ),
  )
  await bulkUpdate(
    db,
    NEWEST,
    advances.flatMap(({ deviceId, newest }) => {
      if (newest === undefined) return []
      const { record, recentHashes } = newest
      const { seq, hash, previous, epoch, receivedAt, outcome, verdict, pcrDigest, bytes } = record
      return [[deviceId, seq, hash, previous, epoch, receivedAt, outcome, verdict, pcrDigest, bytes, recentHashes]]
    }),
  )
  await bulkUpdate(
    db,
    SESSIONS,
    advances.map(({ deviceId, session }) => [
      deviceId,
      session.session,
      session.contiguousTo,
      JSON.stringify(session.extra),
      session.firstEpoch,
      session.lastEpoch,
    ]),
  )
}
