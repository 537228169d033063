import { expect, test } from 'vitest'
import { ClockGuard } from '../../../collector/liveness/clock-guard.ts'
import { ClockWatch } from '../../../collector/liveness/clock-watch.ts'
import { SILENT } from '../../support/test-collector.ts'
import { NOW } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const DAY_MS = 86_400_000

describeStore('people are told of a clock', (createStore) => {
  function machine() {
    const store = createStore()
    const clocks = { wall: NOW, monotonic: 0, isAway: false }
    let watch: ClockWatch | undefined
    const guard = new ClockGuard({
      wall: () => clocks.wall,
      monotonic: () => clocks.monotonic,
      toleranceMs: 60_000,
      onStep: (step, at) => watch?.stepped(step, at),
    })
    const notifications: typeof store.notifications = {
      ...store.notifications,
      add: (event) => (clocks.isAway ? Promise.reject(new Error('away')) : store.notifications.add(event)),
    }
    watch = new ClockWatch({
      store: { ...store, notifications },
      clock: guard.now,
      logger: SILENT,
      replica: 'own',
      machine: 'gateway-hq',
    })
    const look = watch.look.bind(watch)
    const pass = (ms: number): void => {
      clocks.wall += ms
      clocks.monotonic += ms
      guard.now()
    }
    const told = async () => (await store.notifications.undispatched(99)).map(({ kind, subject }) => [kind, subject])
    return { store, clocks, guard, look, pass, told }
  }

  test.each([DAY_MS, -DAY_MS])('that was stepped by %i ms, once, and when it is right again', async (step) => {
    const { store, clocks, look, pass, told } = machine()
    await look()
    expect(await told()).toEqual([])
    clocks.wall += step
    for (let each = 0; each < 3; each++) {
      pass(5_000)
      await look()
    }
    expect(await told()).toEqual([['clock.wrong', 'gateway-hq']])
    const [event] = await store.notifications.undispatched(1)
    // Dated by the time that the collector goes by.
    expect(event).toMatchObject({
      at: NOW + 5_000,
      severity: 'high',
      text: expect.stringContaining(`${step / 1000} s`),
    })
    clocks.wall -= step
    pass(5_000)
    await look()
    expect((await told()).at(-1)).toEqual(['clock.right', 'gateway-hq'])
  })

  test('also where the database was away meanwhile', async () => {
    const { clocks, look, pass, told } = machine()
    clocks.wall += DAY_MS
    clocks.isAway = true
    pass(1_000)
    await expect(look()).rejects.toThrow('away')
    clocks.isAway = false
    await look()
    expect(await told()).toEqual([['clock.wrong', 'gateway-hq']])
    await look()
    expect(await told()).toHaveLength(1)
  })

  test('that disagrees with that of another collector which is there, and with none that has gone', async () => {
    const { store, look, pass, told, guard } = machine()
    const begin = (replica: string, from: number) =>
      store.collectorIntervals.begin(replica, { kind: 'up', from, to: from, cause: 'started' })
    await begin('own', NOW - DAY_MS)
    await begin('gone', NOW - DAY_MS)
    const other = await begin('other', NOW)
    for (const offset of [0, 60_000]) {
      await store.collectorIntervals.prolong(other, guard.now() + offset)
      pass(10_000)
      await look()
    }
    expect(await told()).toEqual([])
    for (let each = 0; each < 2; each++) {
      pass(10_000)
      await store.collectorIntervals.prolong(other, guard.now() + 200_000)
      await look()
    }
    expect(await told()).toEqual([['clock.wrong', 'gateway-hq']])
    for (let each = 0; each < 2; each++) {
      pass(200_000)
      await store.collectorIntervals.prolong(other, guard.now())
      await look()
    }
    expect((await told()).map(([kind]) => kind)).toEqual(['clock.wrong', 'clock.right'])
  })
})
