import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** The decision log: append-only, signed by people, checked again whenever it is read. */
export const decisions: Migration = {
  version: 5,
  name: '0005-decisions',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ bytes, integer, tableOptions }: ColumnTypes): string =>
  `create table decisions (
    entry_index ${integer} not null primary key,
    entry ${bytes} not null,
    appended_at ${integer} not null
  ) ${tableOptions}`
