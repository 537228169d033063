import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Messages that could not be decided by a fault of this software. */
export const quarantine: Migration = {
  version: 10,
  name: '0010-quarantine',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ generatedId, bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table quarantine (
    id ${generatedId},
    ueid ${text},
    topic ${text} not null,
    hash ${bytes} not null,
    bytes ${bytes} not null,
    reason ${text} not null,
    detail ${text} not null,
    tries ${integer} not null,
    received_at ${integer} not null,
    last_failed_at ${integer} not null,
    unique (hash, topic)
  ) ${tableOptions}`,
  'create index quarantine_device on quarantine (ueid, id)',
]
