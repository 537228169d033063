import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What a restore point tells devices: numbers that go on where no lost one can have been. */
export const restorePoints: Migration = {
  version: 20,
  name: '0020-restore-points',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ integer }: ColumnTypes): readonly string[] => [
  `alter table restore_points add column number ${integer} not null default 0`,
  `alter table restore_points add column first_epoch ${integer} not null default 0`,
  'update restore_points set number = restored_at + id, first_epoch = restored_at / 1000',
]
