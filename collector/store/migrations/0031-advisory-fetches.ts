import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** How fetching feeds of advisories goes, and which documents of those that serve each by itself were taken. */
export const advisoryFetches: Migration = {
  version: 31,
  name: '0031-advisory-fetches',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table advisory_fetches (
    feed ${text} not null primary key references advisory_feeds,
    kind ${text} not null,
    url ${text} not null,
    declared_at ${integer} not null,
    max_age_ms ${integer} not null,
    next_at ${integer} not null,
    attempts ${integer} not null,
    attempted_at ${integer},
    failures ${integer} not null,
    may_shrink ${integer} not null,
    is_stale ${integer} not null,
    signature ${text}
  ) ${tableOptions}`,
  `create table advisory_documents (
    feed ${text} not null references advisory_feeds,
    url ${text} not null,
    updated ${text} not null,
    advisories ${text} not null,
    primary key (feed, url)
  ) ${tableOptions}`,
]
