import { sql } from 'kysely'
import { isPostgres } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/**
 * Messages as they came, apart from what is known of each. They are nearly all that grows with time, and nothing refers
 * to them but the row of their evidence: on PostgreSQL they are partitioned by time. A place (device, session, seq)
 * is taken in `evidence`, which is not, so that a message is counted once whenever it comes.
 */
export const evidenceMessages: Migration = {
  version: 36,
  name: '0036-evidence-messages',
  apply: async (db, types) => {
    const create = isPostgres(db) ? onPostgres(types) : onSqlite(types)
    for (const statement of [...create, ...move]) await sql.raw(statement).execute(db)
  },
}

const columns = ({ integer, bytes }: ColumnTypes): string => `received_at ${integer} not null, bytes ${bytes} not null`

const onSqlite = (types: ColumnTypes): readonly string[] => [
  `create table evidence_messages (evidence_id integer not null primary key, ${columns(types)}) ${types.tableOptions}`,
]

/** Whatever has no partition of its own yet goes into the default one: ../evidence-partitions.ts makes the others. */
const onPostgres = (types: ColumnTypes): readonly string[] => [
  `create table evidence_messages (evidence_id ${types.integer} not null, ${columns(types)},
    primary key (evidence_id, received_at)) partition by range (received_at)`,
  'create table evidence_messages_default partition of evidence_messages default',
]

const move: readonly string[] = [
  'insert into evidence_messages (evidence_id, received_at, bytes) select id, received_at, bytes from evidence',
  'alter table evidence drop column bytes',
]
