import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Results that were signed because a device changed, and up to which change nothing is left to sign. */
export const signedResults: Migration = {
  version: 23,
  name: '0023-signed-results',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, tableOptions }: ColumnTypes): readonly string[] => [
  `create table signed_results (
    transition_id ${integer} not null primary key references device_transitions,
    device_id ${integer} not null references devices,
    issued_at ${integer} not null,
    cwt ${bytes} not null,
    key_id ${bytes} not null
  ) ${tableOptions}`,
  'create index signed_results_by_device on signed_results (device_id, transition_id)',
  'create index signed_results_by_time on signed_results (issued_at)',
  `create table result_signing (
    id ${integer} not null primary key check (id = 1),
    settled ${integer} not null
  ) ${tableOptions}`,
  // What a device was before is not known any more: a result says what it is now.
  'insert into result_signing (id, settled) select 1, coalesce(max(id), 0) from device_transitions',
]
