import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { expect, it as test } from 'vitest'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { resultOf } from '../../../collector/tracking/result.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { describeStore } from '../store/support.ts'

const MINUTE_MS = 60_000

describeStore('evidence that waited while the collector was down', (createStore) => {
  const keys = useCollectorKeys()

  /** Evidence answers an epoch; a minute later the collector is down for `downMs`, and a minute after that it arrives. */
  async function arrivesAfter(downMs: number) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    const epoch = await collector.epoch(device)
    await collector.report(device)
    const waiting = await device.report()
    const downtime = [{ from: epoch.issuedAt + MINUTE_MS, to: epoch.issuedAt + MINUTE_MS + downMs }]
    Object.assign(collector.deps, { policy: { ...collector.deps.policy, downtime } })
    collector.now = epoch.issuedAt + 2 * MINUTE_MS + downMs
    const handled = await collector.evidence(device, waiting.bytes)
    const at = { policy: defaultLivenessPolicy, now: collector.now, downtime }
    const result = async () =>
      resultOf(collector.store, await collector.row(device), at, {
        version: '0',
        decisions: new DecisionBook(collector.store),
      })
    return { collector, device, handled, result }
  }

  test('is fresh by the extended window, which is said until there is newer evidence', async () => {
    const { collector, device, handled, result } = await arrivesAfter(50 * MINUTE_MS)
    expect(handled).toMatchObject({ result: 'accepted', code: null })
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', freshExtended: true })
    expect(await result()).toMatchObject({ liveness: 'fresh', isFresh: true, freshnessExtended: true })
    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.state(device)).toMatchObject({ freshExtended: false })
    expect(await result()).toMatchObject({ liveness: 'fresh', freshnessExtended: false })
  })

  test('is late where the bound of the extension is passed', async () => {
    const { collector, device, handled } = await arrivesAfter(71 * MINUTE_MS)
    expect(handled).toMatchObject({ code: 'freshness.late' })
    expect(await collector.state(device)).toMatchObject({ freshExtended: false })
  })

  test('is late where the collector was there all the time', async () => {
    const { collector, device } = await arrivesAfter(0)
    Object.assign(collector.deps, { policy: { ...collector.deps.policy, downtime: [] } })
    const waiting = await device.report()
    collector.now += 50 * MINUTE_MS
    expect(await collector.evidence(device, waiting.bytes)).toMatchObject({ code: 'freshness.late' })
  })
})
