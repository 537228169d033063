import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** What limitations and assumptions of the profiles in force were at the newest evaluation. */
export const conditions: Migration = {
  version: 21,
  name: '0021-conditions',
  apply: async (db, { text }) => {
    const column = `conditions ${text} not null default '[]'`
    await sql.raw(`alter table practice_evaluations add column ${column}`).execute(db)
  },
}
