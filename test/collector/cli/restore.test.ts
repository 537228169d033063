import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markRestored } from '../../../collector/store/backup/restore-point.ts'
import { openDatabase } from '../../../collector/store/database.ts'
import { bytes, evidence, NOW, storedDevice } from '../store/samples.ts'
import { useCollector } from './support.ts'

const collector = useCollector()

test('what a restore has lost is listed, and nothing that was lost otherwise', async () => {
  const { run, store, directory } = collector()
  expect(await run('auditor', 'restore', 'list')).toMatchObject({ code: 0, stderr: expect.stringContaining('never') })
  const db = openDatabase({ path: join(directory, 'state', 'collector.db') })
  const { number, restoredAt } = await markRestored(db, NOW + 9_000)
  await db.destroy()
  const device = await storedDevice(store)
  await store.evidenceRuns.begin(evidence(device.id, 0))
  for (const seq of [4, 7]) await store.evidenceRuns.begin(evidence(device.id, seq, { receivedAt: restoredAt + seq }))
  const session = { deviceId: device.id, session: bytes('session', 16), firstSeenAt: NOW, firstEpoch: 1, lastEpoch: 1 }
  // 1 to 3 are of before the restore, 5 and 6 of after it.
  await store.sessions.save({
    ...session,
    contiguousTo: 0,
    extra: [
      [4, 4],
      [7, 7],
    ],
  })
  const listed = await run('auditor', 'restore', 'list')
  expect(listed.stdout).toContain(String(number))
  const gaps = await run('auditor', 'restore', 'gaps', String(number))
  expect(gaps).toMatchObject({ code: 0, stdout: expect.stringMatching(/1-3/) })
  expect(gaps.stdout).not.toMatch(/5-6/)
  for (const line of `${listed.stdout}\n${gaps.stdout}`.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  const json = await run('auditor', 'restore', 'gaps', String(number), '--json')
  expect((JSON.parse(json.stdout) as { items: object[] }).items).toEqual([
    {
      ueid: device.ueid,
      session: Buffer.from(bytes('session', 16)).toString('hex'),
      first: 1,
      last: 3,
      before: new Date(NOW).toISOString(),
      after: new Date(restoredAt + 4).toISOString(),
    },
  ])
  expect((await run('auditor', 'restore', 'gaps', '7')).code).toBe(1)
  expect((await run('auditor', 'restore', 'gaps', 'x')).code).toBe(2)
})
