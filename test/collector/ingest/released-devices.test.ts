import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
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

describeStore('devices of a product with releases', (createStore) => {
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

  test('are judged again where one was judged by what counted before, though all others are done', async () => {
    const { collector, device } = await released()
    const current = await judgedBy(collector, device)
    start(collector)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const state = await collector.state(device)
    const late = { ...state, release: { ...state.release, judgedBy: 'of before' } }
    await collector.store.devices.saveState((await collector.row(device)).id, late)
    await vi.waitFor(async () => expect(await judgedBy(collector, device)).toBe(current), { timeout: 5000 })
  })

  test('have attestation results that name the release that they are held against', async () => {
    const { collector, device } = await released()
    const { store, now } = collector
    const row = await collector.row(device)
    const policies = async () =>
      (
        await resultOf(
          store,
          row,
          { policy: defaultLivenessPolicy, now, downtime: [] },
          { version: '0', decisions: new DecisionBook(store) },
        )
      ).policies.join(' ')
    const [release] = await store.releases.ofProduct(collector.productId)
    expect(await policies()).toBe(release?.id)
    device.readings = { ...GOOD_READINGS, sockets: socketsWith(4444) }
    await collector.report(device)
    await collector.content(device)
    expect((await collector.state(device)).release.current).toBeNull()
    expect(await policies()).toBe(release?.id)
  })

  test("that name one section as another spoil nobody's, and are told as such", async () => {
    for (const [as, of] of [
      ['packages', 'sockets'],
      ['sockets', 'packages'],
    ] as const) {
      const { collector, device } = await released()
      const thief = await collector.device()
      const { sections } = thief
      Object.defineProperty(thief, 'sections', { value: new Map([...sections, [as, sections.get(of)]]) })
      await collector.report(thief)
      await collector.content(device)
      const open = await collector.findings(thief)
      expect(open).toContain(`reporting.section-status-changed ${as} open`)
      const other = new IngestingCollector(collector.store, keys())
      Object.assign(other, { now: collector.now, productId: collector.productId })
      await other.report(thief)
      device.readings = { ...GOOD_READINGS, sockets: socketsWith(22, 4444) }
      await other.report(device)
      await other.content(device)
      expect(await other.findings(device)).toEqual(['sockets.listener-added tcp/0.0.0.0:4444 open'])
    }
  })

  test('are judged although the evidence of one cannot be read', async () => {
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
