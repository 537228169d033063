import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** Endorsement keys that are known before their devices: each stands for a token of its own, once for each product. */
export const registrations: Migration = {
  version: 35,
  name: '0035-registrations',
  apply: async (db, { bytes, integer, text }) => {
    for (const statement of [
      ...[`ek_kind ${text}`, `ek_fingerprint ${bytes}`, `ek_serial ${text}`, `revoked_at ${integer}`].map(
        (column) => `alter table enrolment_tokens add column ${column}`,
      ),
      `create unique index enrolment_tokens_by_ek on enrolment_tokens (ek_fingerprint, product_id)
        where ek_fingerprint is not null`,
    ]) {
      await sql.raw(statement).execute(db)
    }
  },
}
