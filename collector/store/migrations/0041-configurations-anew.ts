import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** What does not meet a configuration was written down like what does not tell: it is looked at anew. */
export const configurationsAnew: Migration = {
  version: 41,
  name: '0041-configurations-anew',
  apply: async (db) => {
    await sql`delete from configuration_postures where is_met = 0`.execute(db)
  },
}
