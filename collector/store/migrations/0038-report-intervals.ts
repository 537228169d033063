import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** How often a device says that it reports, where that is less often than is usual: its deadlines follow from it. */
export const reportIntervals: Migration = {
  version: 38,
  name: '0038-report-intervals',
  apply: async (db, { integer }) => {
    await sql.raw(`alter table device_states add column report_interval ${integer}`).execute(db)
  },
}
