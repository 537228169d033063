import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Records of feeds that were left out, what a feed had at its largest, and who has asked for it since it was fetched. */
export const wrongRecords: Migration = {
  version: 40,
  name: '0040-wrong-records',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table wrong_records (
    set_id ${integer} not null references advisory_sets,
    place ${text} not null,
    advisory ${text},
    package ${text},
    code ${text} not null,
    detail ${text} not null,
    primary key (set_id, place)
  ) ${tableOptions}`,
  `alter table advisory_feeds add column wrong ${integer} not null default 0`,
  `alter table advisory_feeds add column largest ${integer}`,
  `alter table advisory_feeds add column largest_at ${integer}`,
  `alter table advisory_fetches add column asked ${integer} not null default 0`,
  `alter table advisory_fetches add column answered ${integer} not null default 0`,
  `alter table advisory_documents add column etag ${text}`,
  `alter table advisory_documents add column last_modified ${text}`,
  `alter table advisory_documents add column digest ${text}`,
]
