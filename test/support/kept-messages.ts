import { sql } from 'kysely'
import { expect } from 'vitest'
import type { Executor } from '../../collector/store/database.ts'
import { createStore } from '../../collector/store/index.ts'
import { migrate, migrations } from '../../collector/store/migrations/index.ts'

const EARLIER = migrations.filter(({ name }) => name < '0036')

/** A kept message of a database that had it in the row of its evidence; `bytes` writes a literal of the database. */
export async function keepsItsMessages(db: Executor, bytes: (hex: string) => string): Promise<void> {
  await migrate(db, EARLIER)
  const zero = bytes('00')
  const rows = [
    `insert into products (id, vendor, model, identity_policy, approval_policy, created_at)
      values ('prd_1', 'Acme', 'G', 'tofu', 'manual', 1)`,
    `insert into devices (id, ueid, product_id, vendor, model, hardware_revision, serial, enrolment, identity,
      device_key, device_key_thumbprint, tls_key_hash, certificate_not_after, enrolled_at)
      values (1, 'u', 'prd_1', 'Acme', 'G', 'B', 's', 'active', 'software', ${zero}, ${zero}, ${zero}, 9, 1)`,
    ...[1, 2].map(
      (seq) => `insert into evidence (id, device_id, session, seq, hash, received_at, fresh, verdict, posture_digest,
        bytes) values (${seq - 7}, 1, ${bytes('05')}, ${seq}, ${bytes(`0${seq}`)}, ${seq}, 1, 'none', ${zero},
        ${bytes(`ab0${seq}`)})`,
    ),
  ]
  for (const row of rows) await sql.raw(row).execute(db)
  await migrate(db)
  const { evidence } = createStore(db)
  const { items } = await evidence.list(1, { limit: 9 })
  expect(items.map(({ seq, bytes: message }) => [seq, Buffer.from(message).toString('hex')])).toEqual([
    [2, 'ab02'],
    [1, 'ab01'],
  ])
  expect(await evidence.insert({ ...(items[0] ?? expect.fail()), seq: 3, hash: new Uint8Array([9]) })).toBe(true)
  expect((await evidence.list(1, { limit: 9 })).items.map(({ seq }) => seq)).toEqual([3, 2, 1])
}
