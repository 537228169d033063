import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** Events that are still gathered are found without reading those that were told. */
export const gatheredEvents: Migration = {
  version: 29,
  name: '0029-gathered-events',
  apply: async (db) => {
    await sql
      .raw('create index notification_events_gathered on notification_events (id) where is_dispatched = 2')
      .execute(db)
  },
}
