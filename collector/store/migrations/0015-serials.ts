import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** Whoever has bought a unit asks for it by its serial number. */
export const serials: Migration = {
  version: 15,
  name: '0015-serials',
  apply: async (db) => {
    await sql.raw('create index devices_by_serial on devices (serial)').execute(db)
  },
}
