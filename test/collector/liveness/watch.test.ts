import { expect, it as test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { Attendance } from '../../../collector/liveness/attendance.ts'
import { horizonOf, LivenessWatch } from '../../../collector/liveness/watch.ts'
import type { Store } from '../../../collector/store/index.ts'
import { revokeDevice } from '../../../collector/tracking/approval.ts'
import { defaultLivenessPolicy as policy } from '../../../collector/tracking/liveness.ts'
import { random } from '../../../shared/crypto/node.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { SILENT } from '../../support/test-collector.ts'
import { describeStore } from '../store/support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describeStore('the watch over devices', (createStore) => {
  const keys = useCollectorKeys()

  /** A watch as one process has it. It is there from `beat` to `beat`. */
  function watching(store: Store, clock: () => number, { isLeader = true } = {}) {
    const attendance = new Attendance({
      store,
      clock,
      logger: SILENT,
      replica: 'one',
      horizonMs: horizonOf(policy),
    })
    attendance.attend({ isReceiving: () => true, isHeldBack: () => false })
    const watch = new LivenessWatch({
      store,
      policy,
      clock,
      deps: { random, decisions: new DecisionBook(store) },
      logger: SILENT,
      downtime: () => attendance.downtime,
      isLeader: () => Promise.resolve(isLeader),
    })
    return { attendance, watch }
  }

  async function reported() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    await collector.epoch(device)
    await collector.report(device)
    const process = watching(collector.store, () => collector.now)
    await process.attendance.beat()
    /** Time goes by while the collector runs. */
    const pass = async (ms: number, { attendance, watch } = process): Promise<number> => {
      const to = collector.now + ms
      await collector.store.collectorIntervals.begin('one', { kind: 'up', from: collector.now, to, cause: 'started' })
      collector.now = to
      await attendance.beat()
      return watch.look()
    }
    return { collector, device, pass, process }
  }

  const eventsOf = async ({ store }: IngestingCollector): Promise<readonly string[]> =>
    (await store.notifications.undispatched(100)).map(({ kind, code }) => `${kind} ${code}`)

  const historyOf = async (collector: IngestingCollector, device: SoftwareDevice): Promise<readonly string[]> => {
    const { id } = await collector.row(device)
    const { items } = await collector.store.transitions.list(id, { limit: 100 })
    return items.map(({ axis, from, to, cause }) => `${axis} ${from} ${to} ${cause}`).toReversed()
  }

  test('tells once of each deadline that a device passes, and of its return', async () => {
    const { collector, device, pass } = await reported()
    const before = (await eventsOf(collector)).length
    expect(await pass(2 * PERIOD_MS)).toBe(0)
    expect(await pass(1)).toBe(1)
    expect(await collector.findings(device)).toEqual(['liveness.stale evidence open'])
    expect(await pass(20_000)).toBe(0)
    expect(await pass(DAY_MS)).toBe(1)
    expect(await collector.findings(device)).toEqual(['liveness.silent evidence open'])
    expect(await collector.state(device)).toMatchObject({ liveness: 'silent', verdict: 'affirming', latch: 'none' })

    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.findings(device)).toEqual([])
    expect(await collector.state(device)).toMatchObject({ liveness: 'fresh', verdict: 'affirming' })
    expect((await eventsOf(collector)).slice(before)).toEqual([
      'finding.opened liveness.stale',
      'finding.opened liveness.silent',
      'finding.resolved liveness.silent',
    ])
    expect((await historyOf(collector, device)).filter((line) => line.startsWith('liveness'))).toEqual([
      'liveness never-seen fresh evidence',
      'liveness fresh stale liveness.stale',
      'liveness stale silent liveness.silent',
      'liveness silent fresh evidence',
    ])
  })

  test('waits for as long as a device says that it takes from one report to the next', async () => {
    const { collector, device, pass } = await reported()
    device.statedInterval = 3600
    await collector.epoch(device)
    await collector.report(device)
    expect((await collector.state(device)).reportInterval).toBe(3600)
    expect(await pass(2 * HOUR_MS)).toBe(0)
    expect(await pass(1)).toBe(1)
    expect(await collector.findings(device)).toEqual(['liveness.stale evidence open'])
    device.statedInterval = null
    await collector.epoch(device)
    await collector.report(device)
    expect(await pass(2 * PERIOD_MS)).toBe(0)
    expect(await pass(1)).toBe(1)
  })

  test('knows what it has told after a restart, and what it has not', async () => {
    const { collector, device, pass } = await reported()
    expect(await pass(3 * PERIOD_MS)).toBe(1)
    const next = watching(collector.store, () => collector.now)
    await next.attendance.beat()
    expect(await next.watch.look()).toBe(0)
    expect(await pass(DAY_MS, next)).toBe(1)
    expect(await collector.findings(device)).toEqual(['liveness.silent evidence open'])
  })

  test('leaves telling to the one that leads', async () => {
    const { collector, pass } = await reported()
    const follower = watching(collector.store, () => collector.now, { isLeader: false })
    expect(await pass(DAY_MS, follower)).toBe(0)
    const leader = watching(collector.store, () => collector.now)
    await leader.attendance.beat()
    expect(await leader.watch.look()).toBe(1)
  })

  test('blames no device for the time in which no collector was there', async () => {
    const { collector, device, pass } = await reported()
    await pass(PERIOD_MS)
    // The collector is stopped for a week, and started again.
    collector.now += 7 * DAY_MS
    const next = watching(collector.store, () => collector.now)
    await next.attendance.beat()
    expect(await next.watch.look()).toBe(0)
    expect(await pass(PERIOD_MS, next)).toBe(0)
    expect(await pass(20_000, next)).toBe(1)
    expect(await collector.findings(device)).toEqual(['liveness.stale evidence open'])
  })

  test('never lets silence clear a failure', async () => {
    const { collector, device, pass } = await reported()
    await collector.epoch(device)
    await collector.report(device, { extraData: random(32) })
    const failed = await collector.state(device)
    expect(failed).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    await pass(2 * DAY_MS)
    expect(await collector.state(device)).toEqual({ ...failed, liveness: 'silent' })
    expect(await collector.findings(device)).toContain('liveness.silent evidence open')
    // Nor does a person accept silence by accepting the device.
    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.state(device)).toMatchObject({ latch: 'recovered-unacknowledged', liveness: 'fresh' })
  })

  test('tells of a device that has never reported, and of a revoked one nothing', async () => {
    const { collector, pass } = await reported()
    const { now: enrolledAt } = collector
    const unseen = await collector.device({}, { enrolledAt })
    const revoked = await collector.device({}, { enrolledAt })
    await pass(DAY_MS - PERIOD_MS)
    expect(await collector.findings(unseen)).toEqual([])
    await revokeDevice(collector.store, { ueid: revoked.ueid, actor: 'api_x', now: collector.now })
    await pass(2 * PERIOD_MS)
    expect(await collector.findings(unseen)).toEqual(['liveness.never-seen evidence open'])
    expect(await collector.findings(revoked)).toEqual([])
    expect(await pass(DAY_MS)).toBeGreaterThanOrEqual(0)
    expect(await collector.findings(unseen)).toEqual(['liveness.never-seen evidence open'])
    await revokeDevice(collector.store, { ueid: unseen.ueid, actor: 'api_x', now: collector.now })
    expect(await collector.findings(unseen)).toEqual([])
    expect(await historyOf(collector, unseen)).toEqual(['enrolment active revoked api_x'])
  })

  test('takes a second look at old evidence for no sign of life', async () => {
    const { collector, device, pass } = await reported()
    await pass(DAY_MS)
    await collector.content(device)
    expect(await collector.state(device)).toMatchObject({ liveness: expect.stringMatching('stale|silent') as string })
  })
})
