import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { ReleaseClock } from '../../../collector/ingest/judge-again.ts'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { resultOf } from '../../../collector/tracking/result.ts'
import { GOOD_READINGS, socketsWith } from '../../support/software-device.ts'
import { newestEvidence } from '../../../collector/tracking/boot-baseline.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { ReleasedFleet } from '../../support/released-fleet.ts'
import { describeStore } from '../store/support.ts'

describeStore('the clock of releases', (createStore) => {
  const keys = useCollectorKeys()
  const clocks: ReleaseClock[] = []
  afterEach(async () => {
    for (const clock of clocks.splice(0)) await clock.stop()
  })

  async function released() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const fleet = new ReleasedFleet(collector)
    await fleet.release(await fleet.fileOf('1', device))
    await fleet.report(device)
    return { collector, device }
  }

  function start({ store, deps, now }: IngestingCollector): ReleaseClock {
    const clock = new ReleaseClock({ store, deps, clock: () => now, logger: pino({ level: 'silent' }), periodMs: 2 })
    clocks.push(clock)
    clock.start()
    return clock
  }

  const judgedBy = async (collector: IngestingCollector, device: Parameters<IngestingCollector['state']>[0]) =>
    (await collector.state(device)).release.judgedBy

  test('finds a device that was judged by what counted before, after all others were judged', async () => {
    const { collector, device } = await released()
    const current = await judgedBy(collector, device)
    start(collector)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const state = await collector.state(device)
    const late = { ...state, release: { ...state.release, judgedBy: 'of before' } }
    await collector.store.devices.saveState((await collector.row(device)).id, late)
    await vi.waitFor(async () => expect(await judgedBy(collector, device)).toBe(current), { timeout: 5000 })
  })

  test('and an attestation result names the release that the device is held against', async () => {
    const { collector, device } = await released()
    const { store, now } = collector
    const row = await collector.row(device)
    const policies = async () =>
      (await resultOf(store, row, defaultLivenessPolicy, { now, version: '0' })).policies.join(' ')
    const [release] = await store.releases.ofProduct(collector.productId)
    expect(await policies()).toBe(release?.id)
    device.readings = { ...GOOD_READINGS, sockets: socketsWith(4444) }
    await collector.report(device)
    await collector.content(device)
    expect((await collector.state(device)).release.current).toBeNull()
    expect(await policies()).toBe(release?.id)
  })

  test('judges all others where the evidence of one cannot be read', async () => {
    const { collector, device } = await released()
    const current = await judgedBy(collector, device)
    const other = await collector.device()
    await collector.report(other)
    await collector.content(other)
    for (const each of [device, other]) {
      const { id } = await collector.row(each)
      const state = await collector.state(each)
      await collector.store.devices.saveState(id, { ...state, release: { ...state.release, judgedBy: null } })
    }
    const { id } = await collector.row(device)
    const record = await newestEvidence(collector.store, id, await collector.state(device))
    if (record === undefined) throw new Error('no evidence')
    await collector.store.evidence.saveNewest({ ...record, bytes: Uint8Array.of(1) }, new Uint8Array())
    start(collector)
    await vi.waitFor(async () => expect(await judgedBy(collector, other)).toBe(current), { timeout: 5000 })
  })
})
