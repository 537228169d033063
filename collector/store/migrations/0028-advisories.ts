import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Advisories by feed, inventories of packages, and what the one means for the other. */
export const advisories: Migration = {
  version: 28,
  name: '0028-advisories',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table advisory_feeds (
    id ${text} not null primary key,
    authority ${text} not null,
    active_set ${integer},
    advisories ${integer} not null,
    checked_at ${integer},
    changed_at ${integer},
    etag ${text},
    last_modified ${text},
    digest ${text},
    problem_code ${text},
    problem_detail ${text},
    problem_since ${integer}
  ) ${tableOptions}`,
  `create table advisory_sets (
    id ${generatedId},
    feed ${text} not null references advisory_feeds,
    started_at ${integer} not null
  ) ${tableOptions}`,
  `create table advisories (
    set_id ${integer} not null references advisory_sets,
    id ${text} not null,
    severity ${text},
    published ${integer},
    withdrawn ${integer},
    content ${text} not null,
    primary key (set_id, id)
  ) ${tableOptions}`,
  `create table advisory_statements (
    set_id ${integer} not null references advisory_sets,
    package ${text} not null,
    advisory ${text} not null,
    content ${text} not null
  ) ${tableOptions}`,
  'create index advisory_statements_by_package on advisory_statements (package, set_id, advisory)',
  'create index advisory_statements_by_advisory on advisory_statements (set_id, advisory)',
  `create table known_advisories (
    id ${text} not null primary key,
    known_at ${integer} not null
  ) ${tableOptions}`,
  `create table vulnerability_facts (
    set_id ${integer} not null references advisory_sets,
    cve ${text} not null,
    added_at ${integer},
    due_at ${integer},
    probability ${integer},
    percentile ${integer},
    primary key (set_id, cve)
  ) ${tableOptions}`,
  `create table inventories (
    id ${generatedId},
    vendor ${text} not null,
    packages_digest ${bytes} not null,
    system_digest ${bytes} not null,
    content ${text} not null,
    incomparable ${integer} not null,
    unique (vendor, packages_digest, system_digest)
  ) ${tableOptions}`,
  `create table inventory_packages (
    package ${text} not null,
    inventory_id ${integer} not null references inventories,
    primary key (package, inventory_id)
  ) ${tableOptions}`,
  `create table inventory_postures (
    vendor ${text} not null,
    posture_digest ${bytes} not null,
    inventory_id ${integer} references inventories,
    primary key (vendor, posture_digest)
  ) ${tableOptions}`,
  `create table exposures (
    id ${generatedId},
    inventory_id ${integer} not null references inventories,
    package ${text} not null,
    advisory ${text} not null,
    status ${text} not null,
    content ${text} not null
  ) ${tableOptions}`,
  'create index exposures_by_inventory on exposures (inventory_id, package)',
  'create index exposures_by_advisory on exposures (advisory)',
  `create table changed_packages (
    package ${text} not null primary key
  ) ${tableOptions}`,
  `create table advisory_exclusions (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    advisory ${text} not null,
    package ${text},
    reason ${text} not null,
    created_at ${integer} not null,
    created_by ${text} not null,
    created_by_name ${text} not null,
    expires_at ${integer} not null
  ) ${tableOptions}`,
  `create table tracked_advisories (
    product_id ${text} not null references products,
    advisory ${text} not null,
    severity ${text} not null,
    exploited ${integer} not null,
    published_at ${integer} not null,
    known_at ${integer} not null,
    exposed_at ${integer} not null,
    fix_known_at ${integer},
    patched_at ${integer},
    primary key (product_id, advisory)
  ) ${tableOptions}`,
]
