import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** The kernel's measurement list: how far each device's is verified, and what a product's files may be. */
export const ima: Migration = {
  version: 3,
  name: '0003-ima',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  ...[
    `ima_boot_seed ${bytes}`,
    `ima_bank ${text}`,
    `ima_entries ${integer}`,
    `ima_pcr10 ${bytes}`,
    `ima_padding_mode ${text}`,
    `ima_verdict ${text}`,
    `ima_summary ${text}`,
  ].map((column) => `alter table device_states add column ${column}`),
  `create table ima_policies (
    product_id ${text} not null references products,
    version ${integer} not null,
    policy ${text} not null,
    created_at ${integer} not null,
    created_by ${text} not null,
    primary key (product_id, version)
  ) ${tableOptions}`,
]
