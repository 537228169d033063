import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** People who log in. Neither passwords nor secrets of one-time codes are in here, nor what a browser holds. */
export const accounts: Migration = {
  version: 13,
  name: '0013-accounts',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table accounts (
    id ${text} not null primary key,
    login ${text} not null unique,
    name ${text} not null,
    role ${text} not null,
    vendor ${text},
    products ${text},
    password ${text},
    totp_salt ${bytes},
    totp_step ${integer},
    invitation_hash ${bytes},
    invitation_expires_at ${integer},
    created_at ${integer} not null,
    disabled_at ${integer}
  ) ${tableOptions}`,
  `create table recovery_codes (
    account_id ${text} not null references accounts,
    code_hash ${bytes} not null,
    primary key (account_id, code_hash)
  ) ${tableOptions}`,
  `create table login_sessions (
    token_hash ${bytes} not null primary key,
    account_id ${text} not null references accounts,
    created_at ${integer} not null,
    last_seen_at ${integer} not null,
    expires_at ${integer} not null
  ) ${tableOptions}`,
  `create table login_failures (
    login_hash ${bytes} not null primary key,
    failures ${integer} not null,
    failed_at ${integer} not null,
    blocked_until ${integer} not null
  ) ${tableOptions}`,
]
