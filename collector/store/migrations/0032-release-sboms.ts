import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What releases are made of, what listens on devices, and whose each exposure is. */
export const releaseSboms: Migration = {
  version: 32,
  name: '0032-release-sboms',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table release_sboms (
    release_id ${text} not null primary key references releases,
    release_digest ${bytes} not null,
    digest ${text} not null,
    content ${text} not null,
    imported_at ${integer} not null,
    imported_by ${text} not null,
    imported_by_name ${text} not null
  ) ${tableOptions}`,
  `create table inventory_releases (
    release_id ${text} not null primary key references releases,
    inventory_id ${integer} not null references inventories,
    basis ${text} not null
  ) ${tableOptions}`,
  `alter table inventory_postures add column listening ${text}`,
  // Computed anew: exposures say more than before, and so do postures.
  'delete from inventory_postures',
  'insert into changed_packages (package) select distinct package from inventory_packages where true on conflict do nothing',
]
