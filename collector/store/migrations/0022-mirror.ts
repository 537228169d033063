import { sql } from 'kysely'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/** What a mirror shows of the past: keys that devices were enrolled with, and declarations of units. */
export const mirror: Migration = {
  version: 22,
  name: '0022-mirror',
  apply: async (db, types) => {
    for (const statement of statements(types)) await sql.raw(statement).execute(db)
  },
}

const statements = ({ bytes, generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table device_enrolments (
    id ${generatedId},
    device_id ${integer} not null references devices,
    identity ${text} not null,
    device_key ${bytes} not null,
    ek_name ${bytes},
    ek_certificate ${bytes},
    ak_public ${bytes}
  ) ${tableOptions}`,
  `create table unit_declarations (
    id ${generatedId},
    product_id ${text} not null references products,
    declared ${integer},
    declared_at ${integer} not null
  ) ${tableOptions}`,
  // Earlier keys of a device that was enrolled again before this were not kept.
  `insert into device_enrolments (device_id, identity, device_key, ek_name, ek_certificate, ak_public)
    select id, identity, device_key, ek_name, ek_certificate, ak_public from devices order by id`,
  `insert into unit_declarations (product_id, declared, declared_at)
    select product_id, declared, set_at from product_units order by set_at`,
  'create index evidence_runs_by_device on evidence_runs (device_id, id)',
]
