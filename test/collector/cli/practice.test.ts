import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { guards } from '../../../shared/codes/guards.ts'
import type { PersonRole } from '../../../shared/decisions/person.ts'
import { decideIn, profileDocument } from '../../support/certified-profile.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { goodPosture } from '../../support/postures.ts'
import { NOW } from '../store/samples.ts'
import { useCollector } from './support.ts'

const opened = {
  name: 'guest',
  superuser: false,
  shell: '/bin/sh',
  password: { value: 'empty' },
  keys: { missing: 'absent' },
} as const

describe('keepseal practice', () => {
  const collector = useCollector()
  afterEach(() => void vi.useRealTimers())

  /** Patch management holds; a guest without a password breaks access control on some units. */
  async function fleetWithDrift() {
    const fleet = await PracticeFleet.certified(collector().store)
    const release = await fleet.release('1.0', 1)
    const accounts = { value: { list: [opened], more: 0, malformed: 0, shadow: 'read' as const } }
    const open = await fleet.posture({ access: { ...goodPosture().access, accounts } })
    await fleet.add(6, { postureDigest: await fleet.posture(), ...fleet.runs(release) })
    await fleet.add(2, { postureDigest: open, ...fleet.runs(release) })
    await fleet.evaluate()
    return fleet
  }

  it('status prints 18 rows within 80 columns, and says by its exit code that something drifts', async () => {
    const { run } = collector()
    const { product } = await fleetWithDrift()
    const shown = await run('auditor', 'practice', 'status', '--product', product.model)
    const lines = shown.stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(19)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
    expect(lines.find((line) => line.startsWith('patch '))).toMatch(/^patch +3 +3 +conforming +100 % *$/)
    expect(lines.find((line) => line.startsWith('access '))).toMatch(/^access +2 +0 +drift +100 % +Units on which no/)
    expect(lines.find((line) => line.startsWith('risk '))).toMatch(/^risk +- +0 +- /)
    expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('of 8 enrolled units') })
  })

  it('status lists limitations and assumptions with their state, those that do not hold first', async () => {
    const { run, store } = collector()
    const check = { kind: 'signal', signal: 'access.no-empty-password' } as const
    const limitation = { id: 'no-locks', title: 'accounts are not locked', reason: 'r', public: true } as const
    const profile = profileDocument({
      limitations: [
        { ...limitation, practices: ['access-control'], compensation: { text: 'passwords are set', check } },
        { ...limitation, id: 'bare', practices: ['access-control'], compensation: null },
      ],
      assumptions: [{ id: 'cabinet', text: 'the cabinet is locked' }],
    })
    const fleet = await PracticeFleet.certified(store, { profile })
    await fleet.add(4, { postureDigest: await fleet.posture(), ...fleet.runs(await fleet.release('1.0', 1)) })
    await fleet.evaluate()
    const { stdout } = await run('auditor', 'practice', 'status', '--product', fleet.product.id)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    const listed = stdout.slice(stdout.indexOf('limitations and assumptions'))
    expect(listed).toMatch(
      /uncompensated: limitation bare[^]*unmonitored: assumption cabinet[^]*covered: limitation no-locks/,
    )
    expect(listed).toContain('made up for by: passwords are set')
    const json = await run('auditor', 'practice', 'status', '--product', fleet.product.id, '--json')
    expect(JSON.parse(json.stdout).conditions).toHaveLength(3)
  })

  it('status of a certificate has the worst of its products for each practice, as the certificate itself says', async () => {
    const { run } = collector()
    await fleetWithDrift()
    const shown = await run('auditor', 'practice', 'status', '--certificate', 'crt_1')
    expect(shown.code).toBe(1)
    const lines = shown.stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.find((line) => line.startsWith('access '))).toMatch(/^access +2 +drift +yes$/)
    expect(shown.stderr).toMatch(/^drift: the worst[^]*Acme\/Gate 7: drift/)
    const certificate = JSON.parse((await run('auditor', 'certificate', 'show', 'crt_1', '--json')).stdout)
    const status = JSON.parse((await run('auditor', 'practice', 'status', '--certificate', 'crt_1', '--json')).stdout)
    expect(status.conformity).toBe(certificate.conformity)
    expect(await run('auditor', 'practice', 'status')).toMatchObject({ code: 2 })
    const both = ['--product', 'Gate 7', '--certificate', 'crt_1']
    expect(await run('auditor', 'practice', 'status', ...both)).toMatchObject({ code: 2 })
    expect(await run('auditor', 'practice', 'status', '--certificate', 'crt_9')).toMatchObject({ code: 1 })
  })

  it('status of one practice says why, which units, what would restore it, and its signals', async () => {
    const { run } = collector()
    const { product, devices } = await fleetWithDrift()
    const { code, stdout } = await run('auditor', 'practice', 'status', '--product', product.id, '--practice', 'access')
    expect(code).toBe(1)
    expect(stdout).toContain('against level 1, since 2026-05-01')
    expect(stdout).toContain(devices.at(-1)?.ueid)
    expect(stdout).toContain('next: Bring it to >= 100 %')
    expect(stdout).toContain('access.no-empty-password: 75 %, wanted >= 100 %')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const json = await run('auditor', 'practice', 'status', '--product', product.id, '--practice', 'access', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ conformity: 'drift', changes: [{ from: null, to: 'drift' }] })
    const unknown = await run('auditor', 'practice', 'status', '--product', product.id, '--practice', 'magic')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
  })

  it('is nonconforming when a certifier signs that a drift is one, and nobody else and nothing else', async () => {
    // People sign by the clock on the wall.
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
    const { run, store, directory } = collector()
    const fleet = await fleetWithDrift()
    const person = async (role: PersonRole) => {
      const file = join(directory, `${role}.pem`)
      const made = await run('auditor', 'key', 'create', '--key', file, '--json')
      const { publicKey: key } = JSON.parse(made.stdout) as { publicKey: string }
      await decideIn(store, fleet.people, fleet.people.certifier, 'person.add', `per_${role}_2`, {
        name: role,
        role,
        key,
      })
      return (practice: string, answer: string, ...more: string[]) => {
        const about = ['--product', fleet.product.id, '--reason', 'seen on site', '--key', file, ...more]
        return run('auditor', 'practice', 'confirm', practice, answer, ...about)
      }
    }
    const [certifier, vendor] = [await person('certifier'), await person('vendor')]
    expect(await vendor('access', 'yes')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(guards['decision.role'].title),
    })
    expect(await certifier('patch', 'yes')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(guards['nonconformity.not-in-drift'].title),
    })
    expect(await certifier('access', 'perhaps')).toMatchObject({ code: 2 })
    expect(await certifier('access', 'yes')).toMatchObject({ code: 0, stdout: 'nonconforming\n' })
    const { status, explanation, confirmed } = await fleet.state('access-control')
    expect([status, explanation.reasons[0]?.code, confirmed?.by]).toEqual([
      'nonconforming',
      'confirmed',
      'per_certifier_2',
    ])
    const json = await certifier('access', 'no', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ conformity: 'drift', confirmed: null })
    expect(await certifier('access', 'no')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(guards['nonconformity.not-confirmed'].title),
    })
  })
})

describe('keepseal signal', () => {
  const collector = useCollector(undefined, () => Date.UTC(2026, 4, 4))

  it('list and show have values, targets and days within 80 columns', async () => {
    const { run, store } = collector()
    const fleet = await PracticeFleet.certified(store)
    await fleet.add(3, { postureDigest: await fleet.posture() })
    await fleet.days(3, 'patch-management')
    expect(fleet.now).toBe(Date.UTC(2026, 4, 1) + 3 * DAY)
    const listed = await run('auditor', 'signal', 'list', '--product', fleet.product.id)
    expect(listed.stdout).toMatch(/^patch\.signed-channel +100 % +>= 100 % +3\/3 +asserted$/m)
    expect(listed.stdout).toMatch(/^response\.drill-age +not known +<= 180 d +- +recorded$/m)
    expect(listed.stdout).toMatch(/^patch\.critical-time +no occasion +p90 <= 14 d +- +observed$/m)
    const shown = await run('auditor', 'signal', 'show', 'patch.signed-channel', '--product', fleet.product.id)
    expect(shown.stdout).toMatch(/^2026-05-02 +100 % +3 +3 +3$/m)
    for (const { stdout } of [listed, shown]) {
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
    expect(await run('auditor', 'signal', 'show', 'magic', '--product', fleet.product.id)).toMatchObject({ code: 2 })
  })

  it('units of a product are declared by those who run the fleet', async () => {
    const { run, store } = collector()
    const { product } = await PracticeFleet.certified(store)
    expect((await run('auditor', 'product', 'units', product.id)).stdout).toContain('of the enrolled units')
    expect(await run('auditor', 'product', 'units', product.id, '--declared', '9')).toMatchObject({ code: 4 })
    await run('vendor', 'product', 'units', product.id, '--declared', '100')
    const set = await run('vendor', 'product', 'units', product.id, '--retire-after', '30', '--json')
    expect(JSON.parse(set.stdout)).toMatchObject({ declared: 100, retireAfterDays: 30 })
  })
})
