import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What is said of advisories for some devices of a product: by release, by configuration, by labels. */
export const productStatements: Migration = {
  version: 37,
  name: '0037-product-statements',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table product_configurations (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    name ${text} not null,
    conditions ${text} not null,
    created_at ${integer} not null,
    created_by ${text} not null,
    created_by_name ${text} not null,
    unique (product_id, name)
  ) ${tableOptions}`,
  `create table configuration_postures (
    configuration_id ${text} not null references product_configurations on delete cascade,
    posture_digest ${bytes} not null,
    is_met ${integer} not null,
    primary key (configuration_id, posture_digest)
  ) ${tableOptions}`,
  ...[
    `verdict ${text} not null default 'excluded'`,
    `justification ${text}`,
    `release_id ${text} references releases`,
    `configuration_id ${text} references product_configurations`,
    `group_id ${text} references device_groups`,
    `environment_name ${text}`,
    `environment_labels ${text}`,
    `ended_at ${integer}`,
    `ended_by ${text}`,
  ].map((column) => `alter table advisory_exclusions add column ${column}`),
  `alter table tracked_advisories add column is_settled ${integer} not null default 0`,
]
