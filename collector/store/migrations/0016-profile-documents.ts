import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Profiles whose digests the decision log names. */
export const profileDocuments: Migration = {
  version: 16,
  name: '0016-profile-documents',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ bytes, integer, tableOptions }: ColumnTypes): string =>
  `create table profile_documents (
    digest ${bytes} not null primary key,
    bytes ${bytes} not null,
    stored_at ${integer} not null
  ) ${tableOptions}`
