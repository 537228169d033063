import { expect, test } from 'vitest'
import type { Store } from '../../../collector/store/index.ts'
import { NOW, storedDevice } from '../store/samples.ts'
import { useCollector } from './support.ts'

const collector = useCollector()

let count = 0
const stored = (store: Store) => storedDevice(store, `device ${count++}`)

const HASH = new Uint8Array(32).fill(0xab)

test('a device is asked, by those who run the fleet, once a minute', async () => {
  const { run, store } = collector()
  const device = await stored(store)
  expect(await run('auditor', 'device', 'attest', device.ueid)).toMatchObject({ code: 4 })
  const asked = await run('operator', 'device', 'attest', device.ueid)
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('not yet (waiting)') })
  expect(await run('operator', 'device', 'attest', device.ueid)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('again in '),
  })
  expect((await store.auditLog.list({ limit: 1 })).items).toMatchObject([{ action: 'device.attest' }])
})

test('--wait tells scripts by the exit code what the answer is, and that there is none', async () => {
  const { run, store } = collector()
  const answer = { at: NOW, evidenceHash: HASH, fresh: true, verdict: 'affirming', code: null } as const
  const answering = async (over: Partial<{ fresh: boolean; verdict: 'warning'; code: string }>) => {
    const device = await stored(store)
    const waiting = run('operator', 'device', 'attest', device.ueid, '--wait', '--wait-seconds', '20')
    let challenge = await store.attestationChallenges.newest(device.id)
    while (challenge === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      challenge = await store.attestationChallenges.newest(device.id)
    }
    await store.attestationChallenges.saveAnswer(challenge.id, { ...answer, ...over })
    return { ...(await waiting), device }
  }
  const { device, ...good } = await answering({})
  expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('affirming') })
  expect(await answering({ verdict: 'warning', code: 'sockets.listener-added' })).toMatchObject({ code: 1 })
  expect(await answering({ fresh: false })).toMatchObject({ code: 1, stdout: expect.stringContaining('late') })
  const silent = await stored(store)
  const none = await run('operator', 'device', 'attest', silent.ueid, '--wait', '--wait-seconds', '1', '--json')
  expect(none.code).toBe(3)
  expect(JSON.parse(none.stdout)).toMatchObject({ status: 'waiting', answer: null })

  const listed = await run('auditor', 'device', 'attest', device.ueid, '--history')
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('answered') })
  for (const line of `${good.stdout}${listed.stdout}`.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

test('--history asks nothing, and goes with nothing that does', async () => {
  const { run, store } = collector()
  const device = await stored(store)
  expect(await run('auditor', 'device', 'attest', device.ueid, '--history')).toMatchObject({ code: 0 })
  expect(await run('operator', 'device', 'attest', device.ueid, '--history', '--wait')).toMatchObject({ code: 2 })
  expect(await run('operator', 'device', 'attest', device.ueid, '--wait-seconds', '9')).toMatchObject({ code: 2 })
  expect(await store.attestationChallenges.newest(device.id)).toBeUndefined()
})
