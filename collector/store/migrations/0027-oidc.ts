import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Accounts of people whom a provider of OpenID Connect knows. */
export const oidc: Migration = {
  version: 27,
  name: '0027-oidc',
  apply: async (db, types) => {
    await sql.raw(statement(types)).execute(db)
  },
}

const statement = ({ text, tableOptions }: ColumnTypes): string => `create table oidc_identities (
    issuer ${text} not null,
    subject ${text} not null,
    account_id ${text} not null unique references accounts,
    primary key (issuer, subject)
  ) ${tableOptions}`
