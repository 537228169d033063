import { sql } from 'kysely'
import { isPostgres } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/**
 * A mark that ingest sets when it advances a device by reports that tell nothing new. Whatever else changes the device
 * takes the mark away, by itself: what a collector remembers of the device under its mark is what the tables hold.
 */
export const steadyMarks: Migration = {
  version: 33,
  name: '0033-steady-marks',
  apply: async (db, types) => {
    const statements = isPostgres(db) ? onPostgres : onSqlite
    for (const statement of [addColumn(types), ...statements]) await sql.raw(statement).execute(db)
  },
}

const addColumn = ({ integer }: ColumnTypes): string => `alter table device_states add column steady_mark ${integer}`

/** Tables whose rows are of a device, and what is done to them other than by an advance. */
const CHANGES: readonly (readonly [
  table: string,
  device: string,
  events: readonly ('insert' | 'update' | 'delete')[],
])[] = [
  ['devices', 'id', ['update']],
  ['findings', 'device_id', ['insert', 'update', 'delete']],
  ['reference_values', 'device_id', ['insert', 'update', 'delete']],
  ['sessions', 'device_id', ['delete']],
  ['evidence_runs', 'device_id', ['delete']],
  ['newest_evidence', 'device_id', ['delete']],
]

const rowOf = (event: string): 'new' | 'old' => (event === 'delete' ? 'old' : 'new')

const unmark = (device: string): string =>
  `update device_states set steady_mark = null where device_id = ${device} and steady_mark is not null`

const onSqlite: readonly string[] = [
  `create trigger device_states_unmark after update on device_states
    when new.steady_mark is not null and new.steady_mark is old.steady_mark
    begin ${unmark('new.device_id')}; end`,
  ...CHANGES.flatMap(([table, device, events]) =>
    events.map(
      (event) =>
        `create trigger ${table}_${event}_unmark after ${event} on ${table} begin ${unmark(`${rowOf(event)}.${device}`)}; end`,
    ),
  ),
]

/**
 * The row is locked before it is looked at: a mark that ingest sets at this moment is not seen yet, and would outlive
 * the change. The second statement sees what was committed until then (read committed).
 */
const unmarkLocked = (device: string): string =>
  `perform 1 from device_states where device_id = ${device} for update; ${unmark(device)};`

const onPostgres: readonly string[] = [
  `create function unmark_itself() returns trigger language plpgsql as
    $$ begin new.steady_mark := null; return new; end $$`,
  `create trigger device_states_unmark before update on device_states for each row
    when (new.steady_mark is not null and new.steady_mark is not distinct from old.steady_mark)
    execute function unmark_itself()`,
  ...CHANGES.flatMap(([table, device, events]) =>
    events.flatMap((event) => [
      `create function ${table}_${event}_unmark() returns trigger language plpgsql as
        $$ begin ${unmarkLocked(`${rowOf(event)}.${device}`)} return null; end $$`,
      `create trigger ${table}_${event}_unmark after ${event} on ${table} for each row
        execute function ${table}_${event}_unmark()`,
    ]),
  ),
]
