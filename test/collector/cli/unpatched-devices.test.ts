import { expect, test } from 'vitest'
import type { DeviceState } from '../../../collector/model/device.ts'
import { goodPosture } from '../../support/postures.ts'
import { profileDocument } from '../../support/certified-profile.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { NOW } from '../store/samples.ts'
import { useCollector } from './support.ts'

let now = NOW
const collector = useCollector(undefined, () => now)

const { packages, system, access } = goodPosture()
const guest = {
  name: 'guest',
  superuser: false,
  shell: '/bin/sh',
  password: { value: 'empty' },
  keys: { missing: 'absent' },
} as const
const withOpenssl = (version: string) => ({
  system: { ...system, os: { value: { id: 'debian', versionId: '12' } } },
  packages: { ...packages, packages: [{ name: 'openssl', version }], total: 1 },
})
const limitation = {
  id: 'old-flash',
  title: 'revision A has no room for updates',
  reason: 'Its flash is full.',
  practices: ['patch-management'],
  compensation: {
    text: 'Nobody can log in.',
    check: { kind: 'signal', signal: 'access.no-empty-password', slo: { targetPermille: 1000 } },
  },
  public: true,
} as const

test('devices that a limitation leaves without fixes are counted apart while its compensation works, and stay in sight', async () => {
  const { store, run } = collector()
  const profile = profileDocument({
    limitations: [{ ...limitation, practices: ['patch-management'], unpatched: { hardware: ['A'] } }],
  })
  const fleet = await PracticeFleet.certified(store, { profile })
  const release = await fleet.release('1.0', 1)
  const old = await fleet.posture(withOpenssl('3.0.16-1'))
  const fixed = await fleet.posture(withOpenssl('3.0.17-1'))
  const with_ = (postureDigest: Uint8Array): Partial<DeviceState> => ({ postureDigest, ...fleet.runs(release) })
  const rest = await fleet.add(4, with_(old), { hardwareRevision: 'B' })
  const stuck = await fleet.add(3, with_(old), { hardwareRevision: 'A' })
  const model = fleet.product.model

  const about = '--package openssl --ecosystem Debian:12 --fixed 3.0.17-1 --severity critical --summary x'.split(' ')
  const file = `${collector().directory}/acme.json`
  const published = ['--published', new Date(now).toISOString(), '--out', file]
  await run('vendor', 'advisory', 'new', 'ACME-1', ...about, ...published)
  await run('vendor', 'advisory', 'import', file)
  for (const unit of rest) await fleet.set(unit, with_(fixed))

  const sample = async () => {
    await fleet.days(1, 'patch-management')
    now = fleet.now
    const found = await store.practices.samples(fleet.product.id, 0, 'patch.critical-time')
    return found.get('patch.critical-time')?.at(-1)
  }
  // Nobody has seen the compensation work yet.
  const first = await sample()
  expect(first).toMatchObject({ known: 7, percentiles: { open: 3 } })
  expect(first?.apart).toBeUndefined()
  expect(await sample()).toMatchObject({ known: 4, apart: 3, percentiles: { open: 0 } })

  const status = await run('auditor', 'practice', 'status', '--product', model)
  const detail = await run('auditor', 'practice', 'status', '--product', model, '--practice', 'patch')
  for (const { stdout } of [status, detail]) {
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(stdout).toMatch(
      /covered: limitation old-flash[^]*without fixes, of hardware A[^]*ACME-1, published [^]*3 units/,
    )
  }
  expect(detail.stdout).toMatch(/patch\.critical-time: [^]*apart by a limitation: 3/)
  const shown = JSON.parse((await run('auditor', 'advisory', 'show', 'ACME-1', '--json')).stdout)
  expect(shown.effects).toMatchObject([{ devices: 3, limited: 3, limitation: 'old-flash' }])
  expect((await run('auditor', 'advisory', 'show', 'ACME-1')).stdout.replace(/\s+/g, ' ')).toContain(
    '3 devices without the fix by limitation old-flash',
  )

  // The compensation fails: whoever was excused by it is not.
  const accounts = { value: { list: [guest], more: 0, malformed: 0, shadow: 'read' as const } }
  const open = await fleet.posture({ ...withOpenssl('3.0.16-1'), access: { ...access, accounts } })
  for (const unit of stuck) await fleet.set(unit, with_(open))
  await sample()
  await run('vendor', 'advisory', 'import', file)
  const failed = await sample()
  expect(failed).toMatchObject({ known: 7, percentiles: { open: 3 } })
  expect(failed?.percentiles?.p95).toBeGreaterThanOrEqual(3 * DAY)
  expect(failed?.apart).toBeUndefined()
  const after = JSON.parse((await run('auditor', 'advisory', 'show', 'ACME-1', '--json')).stdout)
  expect(after.effects).toMatchObject([{ devices: 3, limited: 0, limitation: null }])
})
