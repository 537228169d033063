import { describe, expect, it } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { client } from '../../../collector/cli/client/program.ts'
import { finding, id, NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { useCollector, type RunResult } from './support.ts'

const expectFits = ({ stdout, stderr }: RunResult): void => {
  for (const line of `${stdout}\n${stderr}`.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}

/** Four gateways of one product, which all listen where they should not; the last one waits to be accepted. */
async function fleet(store: Store) {
  const { id: productId } = await storedProduct(store)
  const devices = []
  for (let index = 0; index < 4; index++) {
    const enrolment = index === 3 ? 'pending' : 'active'
    const device = await storedDevice(store, `gate ${index}`, productId, { enrolment })
    await store.devices.saveState(device.id, { ...initialDeviceState, verdict: 'warning', lastFreshAt: NOW })
    await store.findings.insert(finding(device.id, { id: id('fnd', NOW + index), subject: 'tcp/0.0.0.0:8080' }))
    devices.push(device)
  }
  const [first] = (await store.findings.select({ deviceUeid: devices[0]?.ueid }, 1)).map(({ finding: each }) => each.id)
  return { productId, devices, first: first ?? '' }
}

describe('keepseal finding', () => {
  const collector = useCollector(undefined, () => NOW + 10)

  it('tells on how many devices the same was found', async () => {
    const { run, store } = collector()
    await fleet(store)
    const summary = await run('auditor', 'finding', 'summary', 'Gate 7')
    expect(summary).toMatchObject({ code: 0, stdout: expect.stringMatching(/3 of 3 +none +sockets\.listener-added/) })
    expectFits(summary)
    const json = await run('auditor', 'finding', 'summary', 'Gate 7', '--by-value', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ deviceCount: 3, items: [{ value: 'nc', deviceCount: 3 }] })
    const none = await run('auditor', 'finding', 'summary', 'Gate 7', '--code', 'packages.added')
    expect(none.stderr).toContain('Nothing was found on 3')
  })

  it('shows, acknowledges, and tells the life of one', async () => {
    const { run, store } = collector()
    const { first } = await fleet(store)
    const aside = ['--until', '2026-06-01', '--reason', 'fixed with 2.5']
    expect(await run('operator', 'finding', 'acknowledge', first, ...aside)).toMatchObject({ code: 0 })
    const shown = await run('auditor', 'finding', 'show', first)
    expect(shown.stdout).toContain('acknowledged until 2026-06-01 00:00:00Z: fixed with 2.5')
    expectFits(shown)
    const list = await run('auditor', 'finding', 'list')
    expect(list.stdout).toContain('acknowledged')
    expectFits(list)
    const history = await run('auditor', 'finding', 'history', first)
    expect(history.stdout).toMatch(/open +acknowledgement/)
    expectFits(history)
    expect(await run('operator', 'finding', 'unacknowledge', first)).toMatchObject({ code: 0 })
    expect((await run('auditor', 'finding', 'show', first, '--json')).stdout).toContain('"acknowledgement": null')
    const late = await run('operator', 'finding', 'acknowledge', first, '--until', '2027-06-01', '--reason', 'x')
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('180 days') })
  })

  it('counts what an exception suppresses wherever findings are counted', async () => {
    const { run, store } = collector()
    const { devices } = await fleet(store)
    const about = ['--product', 'Gate 7', '--code', 'sockets.listener-added', '--subject', 'tcp/*']
    const made = await run('operator', 'exception', 'create', ...about, '--until', '2026-06-01', '--reason', 'a test')
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^exc_/) })
    expectFits(made)
    const list = await run('auditor', 'finding', 'list')
    expect(list.stdout).toContain('suppressed')
    expect(list.stderr).toContain('4 suppressed by 1 exception.')
    const summary = await run('auditor', 'finding', 'summary', 'Gate 7')
    expect(summary.stderr).toContain('3 suppressed by 1 exception.')
    const shown = await run('auditor', 'device', 'show', devices[0]?.ueid ?? '')
    expect(shown.stdout).toContain('1, 1 of them suppressed')
    const exceptions = await run('auditor', 'exception', 'list')
    expectFits(exceptions)
    const [exception] = made.stdout.split(' ')
    expect(await run('operator', 'exception', 'end', exception ?? '')).toMatchObject({ code: 0, stdout: 'ended\n' })
    expect((await run('auditor', 'finding', 'list')).stderr).toBe('')
    expect((await run('auditor', 'exception', 'list', '--all')).stdout).toContain('ended')
    const refused = await run(
      'operator',
      'exception',
      'create',
      ...about.with(3, 'boot.pcr-changed'),
      '--until',
      '1d',
      '--reason',
      'x',
    )
    expect(refused.code).toBe(1)
  })

  it('sets what a product thinks of a code, and takes it back', async () => {
    const { run, store } = collector()
    await fleet(store)
    const policy = ['finding', 'policy', 'Gate 7', 'sockets.listener-removed']
    expect(await run('operator', ...policy, '--severity', 'high', '--hysteresis', '3/5')).toMatchObject({
      code: 0,
      stdout: 'sockets.listener-removed: high, 3 of 5\n',
    })
    const list = await run('auditor', 'finding', 'policies', 'Gate 7')
    expect(list.stdout).toMatch(/listener-removed +high +low +3 of 5/)
    expectFits(list)
    expectFits(await run('auditor', 'finding', 'policies', 'Gate 7', '--all'))
    expect(await run('operator', ...policy, '--default')).toMatchObject({
      stdout: expect.stringContaining('low, 2 of 3'),
    })
    expect(await run('operator', ...policy)).toMatchObject({ code: 2 })
    expect(await run('operator', ...policy, '--hysteresis', '5/3')).toMatchObject({ code: 1 })
  })
})

describe('keepseal device, for many', () => {
  const collector = useCollector(undefined, () => NOW + 10)

  it('shows who waits, and accepts or rejects them', async () => {
    const { run, store } = collector()
    const { devices } = await fleet(store)
    const waiting = devices[3]?.ueid ?? ''
    const list = await run('auditor', 'device', 'list', '--pending')
    expect(list.stdout.trim().split('\n')).toHaveLength(2)
    expect(list.stdout).toContain(waiting)
    // Of four only the one is silent, and pages of two find it.
    await store.devices.saveState(devices[1]?.id ?? 0, { ...initialDeviceState, lastFreshAt: NOW - 10 * 86_400_000 })
    const silent = await run('auditor', 'device', 'list', '--liveness', 'silent', '--limit', '2')
    expect(silent.stdout.trim().split('\n')).toHaveLength(2)
    expect(silent.stdout).toContain(devices[1]?.ueid)
    const fresh = await run('auditor', 'device', 'list', '--liveness', 'fresh', '--limit', '2')
    expect(fresh).toMatchObject({ stderr: expect.stringContaining('There are more') })
    expect(fresh.stdout.trim().split('\n')).toHaveLength(3)
    expect(await run('operator', 'device', 'accept', waiting)).toMatchObject({ code: 0, stdout: 'active\n' })
    expect(await run('operator', 'device', 'reject', waiting)).toMatchObject({ code: 4 })
    expect((await run('auditor', 'device', 'list', '--pending')).stderr).toContain('No such device')
  })

  it('labels, groups, selects and acts with the number that was looked at', async () => {
    const { run, store } = collector()
    const { devices } = await fleet(store)
    const first = devices[0]?.ueid ?? ''
    expect(await run('operator', 'device', 'label', first, 'site=plant-7', 'stage=pilot')).toMatchObject({
      stdout: 'site=plant-7 stage=pilot\n',
    })
    expect((await run('auditor', 'device', 'show', first)).stdout).toContain('site=plant-7 stage=pilot')
    expect(await run('operator', 'group', 'create', 'pilots', 'stage=pilot')).toMatchObject({ code: 0 })
    expect((await run('auditor', 'group', 'list')).stdout).toContain('stage=pilot')
    expect((await run('auditor', 'device', 'list', '--group', 'pilots')).stdout).toContain(first)
    expect((await run('auditor', 'device', 'list', '--label', 'site=plant-8')).stdout).toBe('')
    const bulk = ['device', 'bulk', 'label', '--product', 'Gate 7', '--set', 'site=plant-8']
    const dry = await run('operator', ...bulk)
    expect([dry.stderr, dry.stdout]).toEqual(['', expect.stringContaining('It would be done to 4.')])
    expect(dry.stdout).toContain('next: the same with --expect 4')
    expectFits(dry)
    expect(await run('operator', ...bulk, '--expect', '5')).toMatchObject({ code: 4 })
    expect((await run('auditor', 'device', 'list', '--label', 'site=plant-8')).stdout).toBe('')
    expect(await run('operator', ...bulk, '--expect', '4')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Done to 4.'),
    })
    const both = ['--label', 'site=plant-8', '--label', 'stage=pilot']
    expect((await run('auditor', 'device', 'list', ...both)).stdout.trim().split('\n')).toHaveLength(2)
    const accepted = await run('operator', 'device', 'bulk', 'accept', '--product', 'Gate 7', '--expect', '4')
    expect(accepted).toMatchObject({ code: 1, stdout: expect.stringContaining('Not to 3: it is active') })
    expectFits(accepted)
    expect(await run('operator', 'device', 'bulk', 'accept')).toMatchObject({ code: 1 })
    expect(await run('operator', 'group', 'remove', 'pilots')).toMatchObject({ code: 0 })
  })

  it('acknowledges all findings of a selection', async () => {
    const { run, store } = collector()
    await fleet(store)
    const about = [
      '--product',
      'Gate 7',
      '--code',
      'sockets.listener-added',
      '--until',
      '2026-06-01',
      '--reason',
      'known',
    ]
    const all = ['finding', 'acknowledge-all', ...about]
    const dry = await run('operator', ...all)
    expect(dry.stdout).toContain('It would be done to 4.')
    expectFits(dry)
    expect(await run('operator', ...all, '--expect', '4')).toMatchObject({ code: 0 })
    expect((await run('auditor', 'finding', 'summary', 'Gate 7')).stderr).toContain('3 acknowledged.')
  })

  it('has help that fits', async () => {
    const { runWith } = collector()
    const names = /^(finding|exception|group|device) /
    for (const { name } of client.commands.filter((each) => names.test(each.name))) {
      expectFits(await runWith({}, ...name.split(' '), '--help'))
    }
  })
})
