import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/**
 * Runs of evidence that tell the same, of which not every message is kept; the newest message of each device; and what
 * the sweep of old rows needs to find them; and when the database was put back from a backup.
 */
export const history: Migration = {
  version: 6,
  name: '0006-history',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, generatedId, integer, text, tableOptions, roomForUpdates }: ColumnTypes): string[] => [
  `create table evidence_runs (
    id ${generatedId},
    device_id ${integer} not null references devices,
    session ${bytes} not null,
    first_seq ${integer} not null,
    last_seq ${integer} not null,
    first_previous ${bytes},
    head_hash ${bytes} not null,
    newest_epoch ${integer},
    first_received_at ${integer} not null,
    last_received_at ${integer} not null,
    fresh ${integer} not null,
    outcome ${text},
    verdict ${text} not null,
    posture_digest ${bytes} not null,
    pcr_digest ${bytes},
    unique (device_id, session, first_seq)
  ) ${tableOptions}`,
  // Each message that is held already is a run of its own.
  `insert into evidence_runs (device_id, session, first_seq, last_seq, first_previous, head_hash, newest_epoch,
    first_received_at, last_received_at, fresh, outcome, verdict, posture_digest, pcr_digest)
    select device_id, session, seq, seq, previous, hash, epoch, received_at, received_at, fresh, outcome, verdict,
    posture_digest, pcr_digest from evidence order by id`,
  `create table newest_evidence (
    device_id ${integer} not null primary key references devices,
    session ${bytes} not null,
    seq ${integer} not null,
    hash ${bytes} not null,
    previous ${bytes},
    epoch ${integer},
    received_at ${integer} not null,
    fresh ${integer} not null,
    outcome ${text},
    verdict ${text} not null,
    posture_digest ${bytes} not null,
    pcr_digest ${bytes},
    bytes ${bytes} not null,
    recent_hashes ${bytes} not null
  ) ${tableOptions}`,
  `create table restore_points (
    id ${generatedId},
    restored_at ${integer} not null,
    newest_receipt_at ${integer},
    published_at ${integer}
  ) ${tableOptions}`,
  `alter table pcr_sets add column last_used_at ${integer} not null default 0`,
  ...['device_states', 'sessions', 'evidence_runs', 'newest_evidence'].flatMap(roomForUpdates),
  // None of these is on a column that reports update.
  'create index evidence_runs_by_time on evidence_runs (first_received_at)',
  'create index evidence_by_time on evidence (received_at)',
  'create index sessions_by_time on sessions (first_seen_at)',
  'create index refusals_by_time on refusals (received_at)',
  "create index findings_by_resolution on findings (resolved_at) where state = 'resolved'",
  'create index case_findings_by_finding on case_findings (finding_id)',
  'create index pcr_sets_by_use on pcr_sets (last_used_at)',
  'create index reference_values_by_pcrs on reference_values (pcr_digest)',
]
