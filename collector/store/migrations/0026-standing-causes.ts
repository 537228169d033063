import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What calls for a case and has not gone since, and by which versions of the catalogue practices were judged. */
export const standingCauses: Migration = {
  version: 26,
  name: '0026-standing-causes',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table standing_causes (
    product_id ${text} not null references products,
    certificate_id ${text} not null,
    release_id ${text} not null,
    cause ${text} not null,
    subject ${text} not null,
    since ${integer} not null,
    primary key (product_id, certificate_id, release_id, cause, subject)
  ) ${tableOptions}`,
  `create table catalogue_versions (
    used_from ${integer} not null primary key,
    versions ${text} not null
  ) ${tableOptions}`,
]
