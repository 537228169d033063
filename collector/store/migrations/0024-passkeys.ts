import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What people log in with in place of a password, and what they were asked to answer. */
export const passkeys: Migration = {
  version: 24,
  name: '0024-passkeys',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table passkeys (
    id ${text} not null primary key,
    account_id ${text} not null references accounts,
    name ${text} not null,
    credential_id ${bytes} not null unique,
    public_key ${bytes} not null,
    relying_party_id ${text} not null,
    sign_count ${integer} not null,
    created_at ${integer} not null,
    last_used_at ${integer}
  ) ${tableOptions}`,
  'create index passkeys_of_account on passkeys (account_id, id)',
  `create table login_challenges (
    challenge_hash ${bytes} not null primary key,
    purpose ${text} not null,
    account_id ${text},
    content ${text} not null,
    expires_at ${integer} not null
  ) ${tableOptions}`,
]
