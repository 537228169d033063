import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** Labels of devices, groups of what has the same labels, and findings that are not to act for a while. */
export const exceptionsAndGroups: Migration = {
  version: 17,
  name: '0017-exceptions-and-groups',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table device_labels (
    device_id ${integer} not null references devices,
    key ${text} not null,
    value ${text} not null,
    primary key (device_id, key)
  ) ${tableOptions}`,
  'create index device_labels_by_value on device_labels (key, value, device_id)',
  `create table device_groups (
    id ${text} not null primary key,
    vendor ${text},
    name ${text} not null,
    created_by ${text} not null,
    created_at ${integer} not null
  ) ${tableOptions}`,
  "create unique index device_groups_by_name on device_groups (coalesce(vendor, ''), name)",
  `create table group_labels (
    group_id ${text} not null references device_groups on delete cascade,
    key ${text} not null,
    value ${text} not null,
    primary key (group_id, key)
  ) ${tableOptions}`,
  `create table finding_exceptions (
    id ${text} not null primary key,
    product_id ${text} not null references products,
    device_id ${integer} references devices,
    group_id ${text} references device_groups,
    code ${text} not null,
    subject_start ${text} not null,
    subject_end ${text},
    reason ${text} not null,
    created_by ${text} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null,
    ended_by ${text},
    ended_at ${integer},
    lapsed_at ${integer}
  ) ${tableOptions}`,
  'create index finding_exceptions_by_code on finding_exceptions (product_id, code)',
]
