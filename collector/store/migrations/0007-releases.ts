import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Releases with their reference values, and which of them each device runs. */
export const releases: Migration = {
  version: 7,
  name: '0007-releases',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `alter table products add column certified ${integer} not null default 0`,
  `alter table products add column release_version ${integer} not null default 0`,
  `create table releases (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    name ${text} not null,
    digest ${bytes} not null,
    document ${bytes} not null,
    state ${text} not null,
    authors ${text} not null,
    created_at ${integer} not null,
    approved ${text},
    countersigned ${text},
    release_order ${integer},
    activated_at ${integer},
    superseded_at ${integer},
    accepted_until ${integer},
    revoked_at ${integer},
    is_minimum ${integer} not null,
    unique (product_id, name),
    unique (product_id, release_order)
  ) ${tableOptions}`,
  ...[`release_id ${text}`, `release_since ${integer}`, `release_highest ${text}`, `release_judged_by ${text}`].map(
    (column) => `alter table device_states add column ${column}`,
  ),
]
