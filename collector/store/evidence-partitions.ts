import { sql } from 'kysely'
import { isPostgres, transaction, type Executor } from './database.ts'

/**
 * The messages that are kept, by the month (UTC) in which they were received: a month that has become old goes as a
 * whole, at once, and leaves no dead rows behind. On PostgreSQL alone; SQLite has one table, from which rows are removed.
 * What belongs to no partition is in the default one: messages of a time for which none was made, and what has outlived
 * its month because something still speaks of it.
 */
export interface EvidencePartitions {
  /**
   * Makes the partitions of this month and the next ones, and of the months that have messages in the default one and
   * are not old. `until`, ms since 1970: what is older is old. Gives the names of the new ones.
   */
  prepare(now: number, until: number): Promise<readonly string[]>
  /**
   * Drops the months that have ended before `until`, ms since 1970, once what nobody needs of them was removed from
   * `evidence`: what is left there keeps its message. Gives their names.
   */
  drop(until: number): Promise<readonly string[]>
}

const AHEAD = 3
/** Of those that messages in the default partition call for, at once. */
const BEHIND = 24
/** Messages that may have to be moved for a month that is made, or dropped, while nothing else is written. */
const MAX_STRAY = 100_000
const MAX_LEFT = 10_000
/** Somebody who reads for long, such as a backup, keeps a partition from coming and going, and ingest must not wait. */
const LOCK_TIMEOUT = '2s'

export function evidencePartitions(db: Executor): EvidencePartitions {
  if (!isPostgres(db)) return { prepare: () => Promise.resolve([]), drop: () => Promise.resolve([]) }
  return {
    async prepare(now, until) {
      const wanted = new Set(Array.from({ length: AHEAD }, (_, months) => monthOf(now, months)))
      for (const month of await strayMonths(db)) if (endOf(month) > until) wanted.add(month)
      const there = new Set((await partitionMonths(db)).map(({ month }) => month))
      const made: string[] = []
      for (const month of [...wanted].filter((each) => !there.has(each))) {
        const name = nameOf(month)
        if (await transaction(db, (inner) => makePartition(inner, name, month))) made.push(name)
      }
      return made
    },

    async drop(until) {
      const dropped: string[] = []
      for (const { name, month } of await partitionMonths(db)) {
        if (endOf(month) > until) continue
        if (await transaction(db, (inner) => dropPartition(inner, name, month))) dropped.push(name)
      }
      return dropped
    },
  }
}

/** Its first moment, ms since 1970; `months` later. */
function monthOf(time: number, months = 0): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months)
}

const endOf = (month: number): number => monthOf(month, 1)

const PREFIX = 'evidence_messages_'

const nameOf = (month: number): string => PREFIX + new Date(month).toISOString().slice(0, 7).replace('-', '_')

async function partitionMonths(db: Executor): Promise<readonly { readonly name: string; readonly month: number }[]> {
  const { rows } = await sql<{ name: string }>`select c.relname as name from pg_inherits i
    join pg_class c on c.oid = i.inhrelid where i.inhparent = 'evidence_messages'::regclass order by c.relname`.execute(
    db,
  )
  return rows.flatMap(({ name }) => {
    const [, year, month] = /^evidence_messages_([0-9]{4})_([0-9]{2})$/.exec(name) ?? []
    return year === undefined ? [] : [{ name, month: Date.UTC(Number(year), Number(month) - 1) }]
  })
}

async function strayMonths(db: Executor): Promise<readonly number[]> {
  const { rows } = await sql<{ month: number }>`select distinct (extract(epoch from date_trunc('month',
      to_timestamp(received_at / 1000.0) at time zone 'UTC')) * 1000)::bigint as month
    from evidence_messages_default order by month limit ${BEHIND}`.execute(db)
  return rows.map(({ month }) => month)
}

const isThere = async (db: Executor, name: string): Promise<boolean> =>
  (await partitionMonths(db)).some((each) => each.name === name)

/**
 * No partition may begin where the default one has rows of its time. False when another collector was quicker, or so much
 * came before that it is better left where it is: it goes row by row then.
 */
async function makePartition(db: Executor, name: string, month: number): Promise<boolean> {
  await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(db)
  if (await isThere(db, name)) return false
  const partition = sql.table(name)
  const [from, to] = [sql.lit(month), sql.lit(endOf(month))]
  const { rows: strays } = await sql`select 1 from evidence_messages_default
    where received_at >= ${from} and received_at < ${to} limit ${MAX_STRAY + 1}`.execute(db)
  if (strays.length > MAX_STRAY) return false
  await sql`create table ${partition} (like evidence_messages including all)`.execute(db)
  await sql`with stray as (delete from evidence_messages_default where received_at >= ${from} and received_at < ${to}
      returning *) insert into ${partition} select * from stray`.execute(db)
  await sql`alter table evidence_messages attach partition ${partition} for values from (${from}) to (${to})`.execute(
    db,
  )
  return true
}

/** What is detached belongs nowhere but into the default partition. False while too much of it is needed. */
async function dropPartition(db: Executor, name: string, month: number): Promise<boolean> {
  await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(db)
  if (!(await isThere(db, name))) return false
  const left = await db
    .selectFrom('evidence')
    .select('id')
    .where('received_at', '>=', month)
    .where('received_at', '<', endOf(month))
    .limit(MAX_LEFT + 1)
    .execute()
  if (left.length > MAX_LEFT) return false
  const partition = sql.table(name)
  await sql`alter table evidence_messages detach partition ${partition}`.execute(db)
  if (left.length > 0) {
    await sql`insert into evidence_messages select * from ${partition}
      where evidence_id in (${sql.join(left.map(({ id }) => id))})`.execute(db)
  }
  await sql`drop table ${partition}`.execute(db)
  return true
}

/** Of evidence that was removed. What is in a month of its own waits for that to be dropped. */
export async function removeMessages(db: Executor, evidenceIds: readonly number[]): Promise<void> {
  if (evidenceIds.length === 0) return
  const table = isPostgres(db) ? 'evidence_messages_default' : 'evidence_messages'
  await sql`delete from ${sql.table(table)} where evidence_id in (${sql.join(evidenceIds)})`.execute(db)
}
