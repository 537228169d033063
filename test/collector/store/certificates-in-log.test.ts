import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { openDatabase } from '../../../collector/store/database.ts'
import { createStore } from '../../../collector/store/index.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { factsDigest } from '../../../shared/decisions/cases/facts.ts'
import { migrate, migrations } from '../../../collector/store/migrations/index.ts'
import { reassessment } from './samples.ts'

it('the unsigned certificates go, and cases with their findings stay as they were', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-migration-'))
  const db = openDatabase({ path: join(directory, 'collector.db') })
  await migrate(
    db,
    migrations.filter(({ version }) => version < 11),
  )
  const before = [
    "insert into products (id, vendor, model, identity_policy, approval_policy, created_at, certified) values ('prd_1', 'Acme', 'G', 'tofu', 'manual', 1, 1)",
    "insert into certificates (id, product_id, number, profile_uri, valid_until, created_at) values ('crt_old', 'prd_1', 'C-1', 'https://p.example', 9, 1)",
    `insert into devices (id, ueid, product_id, vendor, model, hardware_revision, serial, enrolment, identity, device_key, device_key_thumbprint, tls_key_hash, certificate_not_after, enrolled_at)
      values (1, 'u', 'prd_1', 'Acme', 'G', 'B', 's', 'active', 'software', x'00', x'01', x'02', 9, 1)`,
    `insert into findings (id, device_id, code, subject, severity, state, opened_at, last_seen_at, evidence_hash)
      values ('fnd_1', 1, 'boot.pcr-changed', 's', 'high', 'open', 1, 1, x'00')`,
    `insert into reassessment_cases (id, product_id, certificate_id, cause, trigger_id, state, opened_at, triage_by)
      values ('cas_1', 'prd_1', 'crt_old', 'boot.pcr-changed', 'T1', 'triggered', 1, 2)`,
    "insert into case_findings (case_id, finding_id) values ('cas_1', 'fnd_1')",
  ]
  for (const statement of before) await sql.raw(statement).execute(db)
  await migrate(db)
  const { cases } = createStore(db)
  expect(await cases.byId('cas_1')).toMatchObject({ case: { certificateId: 'crt_old' }, findingIds: ['fnd_1'] })
  // What was known of a case becomes its facts.
  const facts = { case: 'cas_1', trigger: 'T1', product: 'prd_1', certificate: 'crt_old', origin: 'software' }
  const kept = await cases.byId('cas_1')
  expect(kept).toMatchObject({ case: { facts, detectedAt: 1, severity: 'critical', isOnce: false } })
  const { rows: digests } = await sql<{
    facts_digest: Uint8Array
  }>`select facts_digest from reassessment_cases`.execute(db)
  expect(digests.map((row) => toHex(row.facts_digest))).toEqual([factsDigest(kept?.case.facts ?? {}, hash)])
  // What the old tables refused the new ones refuse: two unclosed cases of one cause, a finding of no case.
  const again = { cause: 'boot.pcr-changed', certificateId: 'crt_old', trigger: 'T1' } as const
  expect(await cases.insert(reassessment('prd_1', again))).toBe(false)
  await expect(cases.addFinding('cas_9', 'fnd_1')).rejects.toThrow(/./)
  const { rows } = await sql`select name from sqlite_master where name in ('certificates', 'cases_anew')`.execute(db)
  expect(rows).toEqual([])
  await db.destroy()
  rmSync(directory, { recursive: true })
})
