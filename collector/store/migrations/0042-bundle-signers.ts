import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** How collectors whose bundles of advisories are taken have changed their keys since somebody named them. */
export const bundleSigners: Migration = {
  version: 42,
  name: '0042-bundle-signers',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ bytes, integer, text, tableOptions }: ColumnTypes): string => `create table bundle_signers (
    trusted_key ${text} not null primary key,
    history ${bytes} not null,
    followed_at ${integer} not null
  ) ${tableOptions}`
