import { expect, it } from 'vitest'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { GOOD_READINGS, packagesWith, socketsWith } from '../../support/software-device.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { ReleasedFleet, WINDOW_MS } from '../../support/released-fleet.ts'
import { retireRelease, revokeRelease } from '../../../collector/releases/manage.ts'
import { grubBoot } from '../../support/boots.ts'
import { describeStore } from '../store/support.ts'

const kernelOf = (release: 1 | 2 | 3): ReturnType<typeof grubBoot> => grubBoot({ kernel: `kernel ${release}` })

const readingsOf = (release: 1 | 2 | 3) => ({ ...GOOD_READINGS, packages: packagesWith(`1.${release}`, '2.0') })

function secondOf(devices: readonly SoftwareDevice[]): SoftwareDevice {
  const [, device] = devices
  if (device === undefined) throw new Error('one device alone')
  return device
}

/** Boots and reports what a release installs. */
function update(device: SoftwareDevice, release: 1 | 2 | 3): void {
  device.readings = readingsOf(release)
  device.reboot(kernelOf(release))
}

describeStore('a roll-out', (createStore) => {
  const keys = useCollectorKeys()

  /** `count` devices on release 1, which is in force. */
  async function fleetOf(count: number) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const devices = [device]
    while (devices.length < count) devices.push(await collector.device())
    for (const each of devices) update(each, 1)
    const fleet = new ReleasedFleet(collector)
    const first = await fleet.release(await fleet.fileOf('1', device))
    await fleet.report(...devices)
    return { collector, fleet, devices, device, first }
  }

  async function secondRelease({ fleet, devices }: Awaited<ReturnType<typeof fleetOf>>, options = {}) {
    const [golden] = devices
    if (golden === undefined) throw new Error('no device')
    update(golden, 2)
    await fleet.collector.epoch(...devices)
    return fleet.release(await fleet.fileOf('2', golden), options)
  }

  const findingsOf = async ({ collector }: { collector: IngestingCollector }, devices: readonly SoftwareDevice[]) =>
    (await Promise.all(devices.map((device) => collector.findings(device)))).filter((each) => each.length > 0)

  it('opens no finding inside the window, and those left behind are one finding each when it closes', async () => {
    const fleet = await fleetOf(24)
    const { collector, devices } = fleet
    const second = await secondRelease(fleet)
    const behind = devices.slice(-7)
    for (const wave of [devices.slice(1, 9), devices.slice(9, -7)]) {
      for (const device of wave) update(device, 2)
      await fleet.fleet.report(...wave)
      expect(await findingsOf(fleet, devices)).toEqual([])
    }
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([])
    const counts = await collector.store.releases.deviceCounts(collector.productId)
    expect([...counts.values()].sort()).toEqual([17, 7])
    for (const device of devices) expect((await collector.state(device)).verdict).toBe('affirming')

    collector.now = (second.activatedAt ?? 0) + WINDOW_MS - 1
    await fleet.fleet.judge()
    expect(await findingsOf(fleet, devices)).toEqual([])
    collector.now += 1
    await fleet.fleet.judge()
    const left = await findingsOf(fleet, devices)
    expect(left).toEqual(behind.map(() => ['release.superseded release open']))
    for (const device of behind) {
      expect(await collector.state(device)).toMatchObject({ verdict: 'warning', verdictCode: 'release.superseded' })
    }
    expect((await collector.state(fleet.device)).verdict).toBe('affirming')
  })

  it('says the same after a restart, and nothing twice', async () => {
    const fleet = await fleetOf(3)
    const { collector, devices } = fleet
    await secondRelease(fleet)
    collector.now += WINDOW_MS
    const restarted = new IngestingCollector(collector.store, keys())
    restarted.now = collector.now
    restarted.productId = collector.productId
    const again = new ReleasedFleet(restarted)
    expect(await again.judge()).toBe(3)
    expect(await again.judge()).toBe(0)
    expect(await findingsOf(fleet, devices)).toEqual(devices.slice(1).map(() => ['release.superseded release open']))
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toHaveLength(2)
  })

  it('tells a device that goes back at once, inside the window too, until it is updated again', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices } = fleet
    await secondRelease(fleet)
    const { device } = fleet
    update(device, 1)
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([['release.downgraded release open']])
    update(device, 2)
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([])
    expect((await collector.state(device)).verdict).toBe('affirming')
  })

  it('lets a person accept that a device goes back', async () => {
    const fleet = await fleetOf(1)
    const { collector, devices, device } = fleet
    await secondRelease(fleet)
    update(device, 1)
    await fleet.fleet.report(...devices)
    await collector.approve(device)
    expect((await collector.state(device)).verdict).toBe('not-appraised')
    expect(await fleet.fleet.judge()).toBe(1)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
    expect(await findingsOf(fleet, devices)).toEqual([])
  })

  it('tells a mixture of two releases as one finding that names both', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices } = fleet
    await secondRelease(fleet)
    const device = secondOf(devices)
    device.reboot(kernelOf(2))
    await fleet.fleet.report(...devices)
    const open = await collector.store.findings.openOf((await collector.row(device)).id)
    expect(open).toMatchObject([
      { code: 'release.mixture', subject: 'release', after: 'measured boot of 2; packages of 1', state: 'open' },
    ])
    expect(await collector.state(device)).toMatchObject({ verdict: 'warning', latch: 'none' })
    update(device, 2)
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([])
  })

  it('tells what belongs to no release against the closest one, beside nothing else', async () => {
    const fleet = await fleetOf(2)
    const { devices } = fleet
    await secondRelease(fleet)
    const device = secondOf(devices)
    device.readings = { ...readingsOf(1), sockets: socketsWith(22, 4444) }
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([['sockets.listener-added tcp/0.0.0.0:4444 open']])
  })

  it('below the minimum is a finding, whatever its window', async () => {
    const fleet = await fleetOf(2)
    await secondRelease(fleet, { isMinimum: true })
    expect(await findingsOf(fleet, fleet.devices)).toEqual([['release.downgraded release open']])
  })

  it('that is revoked is a finding of its devices, and its predecessor no downgrade', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices, device } = fleet
    const second = await secondRelease(fleet)
    await revokeRelease(collector.store, second.id, 'bricks the modem', fleet.fleet.by())
    await fleet.fleet.judge()
    expect(await findingsOf(fleet, devices)).toEqual([['release.revoked release open']])
    update(device, 1)
    await fleet.fleet.report(...devices)
    expect(await findingsOf(fleet, devices)).toEqual([])
    expect((await collector.state(device)).verdict).toBe('affirming')
  })

  it('of which nothing is accepted leaves no device good', async () => {
    const fleet = await fleetOf(1)
    const { collector, device, first } = fleet
    await retireRelease(collector.store, first.id, collector.now, fleet.fleet.by())
    await fleet.fleet.judge()
    expect(await collector.state(device)).toMatchObject({ verdict: 'not-appraised' })
    expect(await collector.findings(device)).toEqual(['release.superseded release open'])
  })

  it('without values of any PCR leaves no device good', async () => {
    const fleet = await fleetOf(1)
    const { collector, device } = fleet
    update(device, 2)
    await collector.epoch(device)
    const { boot: _, ...file } = await fleet.fleet.fileOf('2', device)
    await fleet.fleet.release({ ...file, boot: { pcrs: [], namedEvents: [], tpmFirmware: [], notJudged: [7] } })
    update(device, 3)
    device.readings = readingsOf(2)
    await fleet.fleet.report(device)
    expect((await collector.state(device)).verdict).not.toBe('affirming')
  })

  it('explains a kernel that ran before its release was in force', async () => {
    const fleet = await fleetOf(1)
    const { collector, devices, device } = fleet
    update(device, 2)
    await fleet.fleet.report(device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    const other = await collector.device()
    update(other, 2)
    await fleet.fleet.release(await fleet.fleet.fileOf('2', other))
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
    expect(await findingsOf(fleet, devices)).toEqual([])
  })

  it('does not acquit a device that shows the kernel of the release only later', async () => {
    const fleet = await fleetOf(1)
    const { collector, device } = fleet
    update(device, 3)
    await fleet.fleet.report(device)
    const other = await collector.device()
    update(other, 2)
    await fleet.fleet.release(await fleet.fleet.fileOf('2', other))
    update(device, 2)
    await fleet.fleet.report(device)
    expect(await collector.state(device)).toMatchObject({
      verdict: 'contraindicated',
      latch: 'recovered-unacknowledged',
    })
  })

  it('does not acquit a device that has shown another kernel before that of the release', async () => {
    for (const shown of [
      [3, 2],
      [2, 3, 2],
    ] as const) {
      const fleet = await fleetOf(1)
      const { collector, device } = fleet
      for (const release of shown) {
        update(device, release)
        await fleet.fleet.report(device)
      }
      const other = await collector.device()
      update(other, 2)
      await fleet.fleet.release(await fleet.fleet.fileOf('2', other))
      const { verdict, latch } = await collector.state(device)
      expect([verdict, latch]).toEqual(['contraindicated', 'recovered-unacknowledged'])
    }
  })

  it('stays decided while the clock is a day behind', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices, device } = fleet
    const second = await secondRelease(fleet)
    await revokeRelease(collector.store, second.id, 'bricks the modem', fleet.fleet.by())
    collector.now -= 86_400_000
    await fleet.fleet.judge()
    expect(await findingsOf(fleet, devices)).toEqual([['release.revoked release open']])
    await fleet.fleet.report(device)
    expect((await collector.state(device)).verdict).toBe('warning')
  })

  it('judges by what counts when the content arrives, not when it was named', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices } = fleet
    const device = secondOf(devices)
    await secondRelease(fleet)
    device.readings = { ...readingsOf(1), sockets: socketsWith(22, 4444) }
    await collector.epoch(device)
    await collector.report(device)
    expect((await collector.state(device)).verdictCode).toBe('content.missing')
    collector.now += WINDOW_MS
    await fleet.fleet.judge()
    await collector.content(device)
    expect(await collector.findings(device)).toContain('release.superseded release open')
    expect(await fleet.fleet.judge()).toBe(0)
  })

  it('compares late evidence with what was accepted when it was made', async () => {
    const fleet = await fleetOf(2)
    const { collector, devices, device } = fleet
    const late = (await secondOf(devices).report()).bytes
    await secondRelease(fleet, { windowMs: 0 })
    update(secondOf(devices), 2)
    await fleet.fleet.report(...devices)
    collector.now += 10 * PERIOD_MS
    await collector.evidence(secondOf(devices), late)
    const all = await collector.store.findings.list({ limit: 10 }, { deviceUeid: secondOf(devices).ueid })
    expect(all.items.map(({ finding }) => `${finding.code} ${finding.state}`)).toEqual(['release.superseded resolved'])
    expect((await collector.state(device)).verdict).toBe('affirming')
  })
})
