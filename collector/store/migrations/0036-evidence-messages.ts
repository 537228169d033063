import { sql } from 'kysely'
import { isPostgres, type Executor } from '../database.ts'
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
    const create = isPostgres(db)
      ? [...onPostgres(types), ...(await monthsOf(db)).map(monthOnPostgres)]
      : onSqlite(types)
    for (const statement of [...create, ...move]) await sql.raw(statement).execute(db)
  },
}

const columns = ({ integer, bytes }: ColumnTypes): string => `received_at ${integer} not null, bytes ${bytes} not null`

const onSqlite = (types: ColumnTypes): readonly string[] => [
  `create table evidence_messages (evidence_id integer not null primary key, ${columns(types)}) ${types.tableOptions}`,
]

/** Whatever has no partition of its own goes into the default one: ../evidence-partitions.ts makes those to come. */
const onPostgres = (types: ColumnTypes): readonly string[] => [
  `create table evidence_messages (evidence_id ${types.integer} not null, ${columns(types)},
    primary key (evidence_id, received_at)) partition by range (received_at)`,
  'create table evidence_messages_default partition of evidence_messages default',
]

const move: readonly string[] = [
  'insert into evidence_messages (evidence_id, received_at, bytes) select id, received_at, bytes from evidence',
  'alter table evidence drop column bytes',
]

/** First moments, ms since 1970, of the months (UTC) that have messages. */
async function monthsOf(db: Executor): Promise<readonly number[]> {
  const { rows } = await sql<{ month: number }>`select distinct (extract(epoch from date_trunc('month',
      to_timestamp(received_at / 1000.0) at time zone 'UTC')) * 1000)::bigint as month from evidence`.execute(db)
  return rows.map(({ month }) => month)
}

/** Each is filled as it is made: to move a month out of the default partition later would hold back ingest. */
function monthOnPostgres(month: number): string {
  const first = new Date(month)
  const next = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1)
  const name = `evidence_messages_${first.toISOString().slice(0, 7).replace('-', '_')}`
  return `create table ${name} partition of evidence_messages for values from (${month}) to (${next})`
}
