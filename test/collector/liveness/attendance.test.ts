import { expect, it as test } from 'vitest'
import { Attendance } from '../../../collector/liveness/attendance.ts'
import type { Store } from '../../../collector/store/index.ts'
import { SILENT } from '../../support/test-collector.ts'
import { describeStore } from '../store/support.ts'
import { NOW } from '../store/samples.ts'

const TICK_MS = 10_000

describeStore('the attendance of collectors', (createStore) => {
  function attending(store: Pick<Store, 'collectorIntervals'>, replica = 'one') {
    const world = { now: NOW, isReceiving: true, isHeldBack: false }
    const options = { store, clock: () => world.now, logger: SILENT, replica, horizonMs: 1e9 }
    const attendance = new Attendance(options)
    attendance.attend({ isReceiving: () => world.isReceiving, isHeldBack: () => world.isHeldBack })
    const beat = async (times = 1): Promise<void> => {
      for (let index = 0; index < times; index++) {
        world.now += TICK_MS
        await attendance.beat()
      }
    }
    return { attendance, world, beat }
  }
  const causes = async (store: Store) => (await store.collectorIntervals.since(NOW - 1)).map(({ cause }) => cause)

  test('is one interval while nothing happens', async () => {
    const store = createStore()
    const { attendance, beat } = attending(store)
    await beat(10)
    expect(attendance.downtime).toEqual([])
    expect(await causes(store)).toEqual(['started'])
  })

  test('has a gap while the broker is out of reach, while the process stands still and while it is not there', async () => {
    const store = createStore()
    const { attendance, world, beat } = attending(store)
    await beat(2)
    const last = world.now
    world.isReceiving = false
    await beat(5)
    world.isReceiving = true
    await beat()
    expect(attendance.downtime).toEqual([{ from: last, to: world.now }])
    await beat()
    const stalled = world.now
    world.now += 600_000
    await beat()
    expect(attendance.downtime.at(-1)).toEqual({ from: stalled, to: world.now })
    await beat()
    const stopped = world.now
    const next = attending(store)
    next.world.now = stopped + 3_600_000
    await next.beat()
    expect(next.attendance.downtime.at(-1)).toEqual({ from: stopped, to: next.world.now })
    expect(await causes(store)).toEqual(['started', 'broker', 'stalled', 'started'])
  })

  test('has a gap while the database is out of reach, and goes on by itself', async () => {
    const store = createStore()
    let isAway = false
    const { collectorIntervals: real } = store
    const orAway = <T>(action: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(new Error('away')) : action())
    const failing: typeof real = {
      ...real,
      begin: (...given) => orAway(() => real.begin(...given)),
      prolong: (...given) => orAway(() => real.prolong(...given)),
      since: (...given) => orAway(() => real.since(...given)),
    }
    const { attendance, world, beat } = attending({ collectorIntervals: failing })
    await beat(2)
    const last = world.now
    isAway = true
    await beat(6)
    // What it knows itself, it need not read.
    expect(attendance.downtime).toEqual([{ from: last, to: world.now }])
    isAway = false
    await beat()
    expect(attendance.downtime).toEqual([{ from: last, to: world.now }])
    expect(await causes(store)).toEqual(['started', 'database'])
  })

  test('has no gap while another one is there, and counts what held devices back', async () => {
    const store = createStore()
    const [one, two] = [attending(store), attending(store, 'two')]
    await one.beat()
    for (let index = 0; index < 10; index++) await two.beat()
    one.world.now = two.world.now - TICK_MS
    await one.beat()
    expect(one.attendance.downtime).toEqual([])
    const from = two.world.now
    two.world.isHeldBack = true
    await two.beat(3)
    two.world.isHeldBack = false
    await two.beat(2)
    expect(two.attendance.downtime).toEqual([{ from, to: from + 3 * TICK_MS }])
  })
})
