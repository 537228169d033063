import { sql } from 'kysely'
import { isPostgres } from '../database.ts'
import type { ColumnTypes } from '../dialect.ts'
import type { Migration } from './index.ts'

/**
 * How many active devices report the same posture and run the same release, kept by the database whatever changes them.
 * Rows are added up, and never changed: collectors that take in reports beside each other wait for nobody. Product,
 * vendor and hardware are of a device for life. A report that tells nothing new writes nothing here.
 */
export const deviceCounts: Migration = {
  version: 39,
  name: '0039-device-counts',
  apply: async (db, types) => {
    const triggers = isPostgres(db) ? onPostgres : onSqlite
    for (const statement of [...tables(types), COUNT_ALL, ...triggers]) await sql.raw(statement).execute(db)
  },
}

const tables = ({ bytes, generatedId, integer, text, tableOptions }: ColumnTypes): readonly string[] => [
  `create table device_counts (
    id ${generatedId},
    product_id ${text} not null references products,
    vendor ${text} not null,
    hardware_revision ${text} not null,
    posture_digest ${bytes},
    release_id ${text},
    devices ${integer} not null
  ) ${tableOptions}`,
  'create index device_counts_by_product on device_counts (product_id)',
]

const INTO = `insert into device_counts
  (product_id, vendor, hardware_revision, posture_digest, release_id, devices)`

const COUNT_ALL = `${INTO}
  select d.product_id, d.vendor, d.hardware_revision, s.posture_digest, s.release_id, count(*)
  from devices d join device_states s on s.device_id = d.id where d.enrolment = 'active'
  group by d.product_id, d.vendor, d.hardware_revision, s.posture_digest, s.release_id`

/** One more, or one less, of what the row of a state says. */
const ofState = (row: 'new' | 'old', devices: 1 | -1): string => `${INTO}
  select d.product_id, d.vendor, d.hardware_revision, ${row}.posture_digest, ${row}.release_id, ${devices}
  from devices d where d.id = ${row}.device_id and d.enrolment = 'active'`

const OF_ENROLMENT = `${INTO}
  select new.product_id, new.vendor, new.hardware_revision, s.posture_digest, s.release_id,
    case when new.enrolment = 'active' then 1 else -1 end
  from device_states s where s.device_id = new.id`

const isEnrolment = "new.enrolment <> old.enrolment and (new.enrolment = 'active' or old.enrolment = 'active')"

const onSqlite: readonly string[] = [
  `create trigger device_states_count_insert after insert on device_states
    begin ${ofState('new', 1)}; end`,
  `create trigger device_states_count_update after update of posture_digest, release_id on device_states
    when new.posture_digest is not old.posture_digest or new.release_id is not old.release_id
    begin ${ofState('old', -1)}; ${ofState('new', 1)}; end`,
  `create trigger device_states_count_delete after delete on device_states
    begin ${ofState('old', -1)}; end`,
  `create trigger devices_count_update after update of enrolment on devices
    when ${isEnrolment} begin ${OF_ENROLMENT}; end`,
]

/**
 * The state is locked before it is looked at: a report that is taken in at this moment has counted the device by its
 * enrolment as it was, and what it has come to report is seen by the second statement (read committed).
 */
const onPostgres: readonly string[] = [
  ...(
    [
      ['insert', [ofState('new', 1)]],
      ['update', [ofState('old', -1), ofState('new', 1)]],
      ['delete', [ofState('old', -1)]],
    ] as const
  ).map(
    ([event, statements]) => `create function device_states_count_${event}() returns trigger language plpgsql as
      $$ begin ${statements.join('; ')}; return null; end $$`,
  ),
  `create trigger device_states_count_insert after insert on device_states for each row
    execute function device_states_count_insert()`,
  `create trigger device_states_count_update after update of posture_digest, release_id on device_states for each row
    when (new.posture_digest is distinct from old.posture_digest or new.release_id is distinct from old.release_id)
    execute function device_states_count_update()`,
  `create trigger device_states_count_delete after delete on device_states for each row
    execute function device_states_count_delete()`,
  `create function devices_count_update() returns trigger language plpgsql as
    $$ begin perform 1 from device_states where device_id = new.id for update; ${OF_ENROLMENT}; return null; end $$`,
  `create trigger devices_count_update after update of enrolment on devices for each row
    when (${isEnrolment}) execute function devices_count_update()`,
]
