import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Liveness as it was told, what became of devices and why, and when collectors were there to see it. */
export const liveness: Migration = {
  version: 14,
  name: '0014-liveness',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ generatedId, integer, text, tableOptions, roomForUpdates }: ColumnTypes): readonly string[] => [
  `alter table device_states add column liveness ${text} not null default 'never-seen'`,
  `alter table device_states add column fresh_extended ${integer} not null default 0`,
  // What has passed its deadline by now is told by the first look at it.
  "update device_states set liveness = 'fresh' where last_fresh_at is not null",
  `create table device_transitions (
    id ${generatedId},
    device_id ${integer} not null references devices,
    at ${integer} not null,
    axis ${text} not null,
    from_value ${text},
    to_value ${text} not null,
    cause ${text}
  ) ${tableOptions}`,
  'create index device_transitions_by_device on device_transitions (device_id, id)',
  'create index device_transitions_by_time on device_transitions (at)',
  `create table collector_intervals (
    id ${generatedId},
    replica ${text} not null,
    kind ${text} not null,
    from_at ${integer} not null,
    to_at ${integer} not null,
    cause ${text} not null
  ) ${tableOptions}`,
  ...roomForUpdates('collector_intervals'),
  'create index collector_intervals_by_end on collector_intervals (to_at)',
]
