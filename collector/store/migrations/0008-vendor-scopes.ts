import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** API tokens that are bound to a vendor, or to some of its products. Those that there are stay bound to none. */
export const vendorScopes: Migration = {
  version: 8,
  name: '0008-vendor-scopes',
  apply: async (db, { text }) => {
    for (const column of ['vendor', 'products']) {
      await sql.raw(`alter table api_tokens add column ${column} ${text}`).execute(db)
    }
  },
}
