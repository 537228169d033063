import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Bundles of advisories that are on their way in, page by page. */
export const advisoryBundles: Migration = {
  version: 34,
  name: '0034-advisory-bundles',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ bytes, integer, text, tableOptions }: ColumnTypes): string => `create table advisory_bundles (
    id ${bytes} not null primary key,
    signer ${text} not null,
    head ${bytes} not null,
    pages ${integer} not null,
    next_feed ${integer} not null,
    next_after ${text} not null,
    is_forced ${integer} not null,
    sets ${text} not null,
    started_at ${integer} not null
  ) ${tableOptions}`
