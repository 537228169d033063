import { sql } from 'kysely'
import type { Migration } from './index.ts'

/** Reference values at the level of boot events, each set once per vendor, and the TPM firmware that was approved. */
export const bootReferences: Migration = {
  version: 2,
  name: '0002-boot-references',
  apply: async (db, { text, bytes, tableOptions }) => {
    const statements = [
      `create table boot_references (vendor ${text} not null, digest ${bytes} not null, rules ${text} not null, primary key (vendor, digest)) ${tableOptions}`,
      `alter table reference_values add column boot_reference_digest ${bytes}`,
      `alter table reference_values add column tpm_firmware_version ${text}`,
    ]
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
