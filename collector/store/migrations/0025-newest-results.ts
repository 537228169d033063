import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** The newest result of each device, which can be signed anew by time, and results that devices are to be told of. */
export const newestResults: Migration = {
  version: 25,
  name: '0025-newest-results',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, tableOptions }: ColumnTypes): readonly string[] => [
  `create table newest_results (
    device_id ${integer} not null primary key references devices,
    issued_at ${integer} not null,
    cwt ${bytes},
    key_id ${bytes}
  ) ${tableOptions}`,
  'create index newest_results_by_time on newest_results (issued_at)',
  // Whoever has none yet is due for one where results are signed anew by time.
  `insert into newest_results (device_id, issued_at, cwt, key_id)
    select devices.id, coalesce(signed.issued_at, 0), signed.cwt, signed.key_id from devices
    left join signed_results signed on signed.transition_id =
      (select max(transition_id) from signed_results where signed_results.device_id = devices.id)`,
  `create table result_deliveries (
    device_id ${integer} not null primary key references devices,
    transition_id ${integer} not null,
    tries ${integer} not null
  ) ${tableOptions}`,
]
