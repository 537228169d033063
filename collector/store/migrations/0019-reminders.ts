import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** How far people were told of each date that comes nearer. */
export const reminders: Migration = {
  version: 19,
  name: '0019-reminders',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ integer, text, tableOptions }: ColumnTypes): string =>
  `create table reminders (
    subject ${text} not null primary key,
    stage ${integer} not null,
    told_at ${integer} not null
  ) ${tableOptions}`
