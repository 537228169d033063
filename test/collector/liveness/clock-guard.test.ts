import { describe, expect, it as test } from 'vitest'
import { ClockGuard, type ClockStep } from '../../../collector/liveness/clock-guard.ts'
import { defaultLivenessPolicy, deadlinesAt, livenessOf } from '../../../collector/tracking/liveness.ts'
import { IngestingCollector, PERIOD_MS, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { describeStore } from '../store/support.ts'

const DAY_MS = 86_400_000
const TOLERANCE_MS = 60_000

function guarded() {
  const machine = { wall: START, monotonic: 1_000 }
  const told: (ClockStep | undefined)[] = []
  const guard = new ClockGuard({
    wall: () => machine.wall,
    monotonic: () => machine.monotonic,
    toleranceMs: TOLERANCE_MS,
    onStep: (step) => told.push(step),
  })
  const pass = (ms: number): void => {
    machine.wall += ms
    machine.monotonic += ms
  }
  return { machine, guard, told, pass }
}

describe('a clock that is a root of trust', () => {
  test.each([DAY_MS, -DAY_MS])('is not followed where it is stepped by %i ms, and is told of once', (step) => {
    const { machine, guard, told, pass } = guarded()
    pass(1_000)
    expect(guard.now()).toBe(START + 1_000)
    machine.wall += step
    pass(5_000)
    expect(guard.now()).toBe(START + 6_000)
    pass(5_000)
    expect(guard.now()).toBe(START + 11_000)
    expect(told).toEqual([{ offsetMs: step }])
    // Somebody puts it right.
    machine.wall -= step
    pass(1_000)
    expect(guard.now()).toBe(START + 12_000)
    expect(told).toEqual([{ offsetMs: step }, undefined])
    expect(guard.step).toBeUndefined()
  })

  test('is followed where it is corrected little by little', () => {
    const { machine, guard, told, pass } = guarded()
    for (let second = 0; second < 1_000; second++) {
      pass(1_000)
      machine.wall += 500
      guard.now()
    }
    expect(guard.now()).toBe(START + 1_500_000)
    expect(told).toEqual([])
  })
})

describeStore('the clock of a collector that is stepped by a day', (createStore) => {
  const keys = useCollectorKeys()

  test.each([DAY_MS, -DAY_MS])(
    'by %i ms makes no evidence fresh, late or silent, and no epoch of another time',
    async (step) => {
      const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
      await collector.approved(device)
      const { machine, guard, pass } = guarded()
      pass(collector.now - START)
      const first = await collector.epoch(device)
      pass(PERIOD_MS)
      machine.wall += step
      pass(10_000)
      // Evidence for an epoch from before the step arrives after it.
      collector.now = guard.now()
      expect(collector.now - first.issuedAt).toBe(10_000)
      expect(await collector.report(device)).toMatchObject({ result: 'accepted', code: null })
      const before = await collector.state(device)
      expect(before).toMatchObject({ verdict: 'affirming', lastFreshEpoch: first.number })
      const at = { policy: defaultLivenessPolicy, now: guard.now(), downtime: [] }
      expect(livenessOf(before, at)).toEqual({ liveness: 'fresh', extended: false })
      expect(before.lastFreshAt).toBeGreaterThan(deadlinesAt(at).stale)

      // The next epoch follows the last one, and what answers the first one is late when its window is over.
      const old = await device.report()
      pass(PERIOD_MS)
      collector.now = guard.now() - PERIOD_MS
      const second = await collector.epoch(device)
      expect(second.issuedAt - first.issuedAt).toBe(PERIOD_MS + 10_000)
      pass(3 * PERIOD_MS)
      collector.now = guard.now()
      expect(await collector.evidence(device, old.bytes)).toMatchObject({ code: 'freshness.late' })
      // The clock is put right: nothing is different.
      machine.wall -= step
      expect(guard.now()).toBe(collector.now)
    },
  )
})
