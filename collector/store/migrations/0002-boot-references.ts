import { sql } from 'kysely'
import type { Migration } from './index.ts'

/**
 * Reference values at the level of boot events, each set once per vendor, the TPM firmware that was approved, and what
 * of a boot the collector waits for.
 */
export const bootReferences: Migration = {
  version: 2,
  name: '0002-boot-references',
  apply: async (db, { text, bytes, integer, tableOptions }) => {
    const statements = [
      `create table boot_references (vendor ${text} not null, digest ${bytes} not null, rules ${text} not null, primary key (vendor, digest)) ${tableOptions}`,
      `alter table reference_values add column boot_reference_digest ${bytes}`,
      `alter table reference_values add column tpm_firmware_version ${text}`,
      'create index reference_values_by_device on reference_values (product_id, device_id, id)',
      `alter table device_states add column boot_digest ${bytes}`,
      `alter table device_states add column boot_awaited_since ${integer}`,
      `alter table device_states add column boot_awaited_reports ${integer}`,
    ]
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
