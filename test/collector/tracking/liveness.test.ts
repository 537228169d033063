import { describe, expect, it } from 'vitest'
import type { Downtime } from '../../../collector/liveness/downtime.ts'
import {
  deadlinesAt,
  defaultLivenessPolicy,
  freshUntil,
  livenessOf,
  type LivenessPolicy,
} from '../../../collector/tracking/liveness.ts'
import { countedInterval } from '../../../collector/tracking/report-interval.ts'
import { staleBefore } from '../../../collector/store/stale-moments.ts'

const NOW = Date.UTC(2026, 4, 1)
const policy = defaultLivenessPolicy
const seen = (
  lastFreshAt: number | null,
  downtime: Downtime = [],
  freshExtended = false,
  reportInterval: number | null = null,
  over: Partial<LivenessPolicy> = {},
) => livenessOf({ lastFreshAt, freshExtended, reportInterval }, { policy: { ...policy, ...over }, now: NOW, downtime })
const after = (seconds: number) => seen(NOW - seconds * 1000).liveness

describe('liveness', () => {
  it('of a device without fresh evidence is never-seen', () => {
    expect(seen(null).liveness).toBe('never-seen')
  })

  it.each([
    [0, 'fresh'],
    [600, 'fresh'],
    [601, 'stale'],
    [86_400, 'stale'],
    [86_401, 'silent'],
    [1e7, 'silent'],
  ])('%i seconds after the last fresh evidence is as defined', (seconds, liveness) => {
    expect(after(seconds)).toBe(liveness)
  })

  it('is neither fresh nor silent because a clock went back', () => {
    expect(after(-1)).toBe('fresh')
    expect(after(-601)).toBe('stale')
    expect(after(-1e6)).toBe('stale')
  })

  it('stays fresh over a downtime of the collector, and says so', () => {
    const downtime = [{ from: NOW - 2_000_000, to: NOW - 100_000 }]
    expect(seen(NOW - 2_100_000, downtime)).toEqual({ liveness: 'fresh', extended: true })
    expect(seen(NOW - 100_000, downtime)).toEqual({ liveness: 'fresh', extended: false })
    expect(seen(NOW - 100_000, downtime, true)).toEqual({ liveness: 'fresh', extended: true })
  })

  it('is not fresh after a downtime longer than the bound, and not silent because of it', () => {
    const week = [{ from: NOW - 7 * 86_400_000, to: NOW - 1_000 }]
    expect(seen(NOW - 7 * 86_400_000 - 1_000, week)).toEqual({ liveness: 'stale', extended: false })
    const { stale, silent } = deadlinesAt({ policy, now: NOW, downtime: week })
    expect(stale).toBe(NOW - 7 * 86_400_000 - 599_000)
    expect(silent).toBe(NOW - 7 * 86_400_000 - 86_399_000)
  })
})

describe('a device that says that it reports once an hour', () => {
  const hourly = (seconds: number, over: Partial<LivenessPolicy> = {}) =>
    seen(NOW - seconds * 1000, [], false, 3600, over).liveness

  it('is stale after two hours, and silent when the others are', () => {
    expect([hourly(7200), hourly(7201), hourly(86_400), hourly(86_401)]).toEqual(['fresh', 'stale', 'stale', 'silent'])
  })

  it('is believed no more than the policy allows', () => {
    expect(hourly(1801, { longestIntervalMs: 900_000 })).toBe('stale')
    expect(hourly(601, { longestIntervalMs: 10_000 })).toBe('stale')
  })

  it('is silent in time even where it was to be fresh for longer', () => {
    expect(hourly(3601, { silentAfterMs: 3_600_000 })).toBe('silent')
  })

  it('has the same deadlines in every question', () => {
    const at = { policy, now: NOW, downtime: [] }
    const before = staleBefore(deadlinesAt(at), 3600)
    expect(before).toBe(NOW - 7_200_000)
    expect(freshUntil({ lastFreshAt: before, reportInterval: 3600 }, at)).toBe(NOW)
    expect(staleBefore(deadlinesAt(at), null)).toBe(NOW - 600_000)
  })
})

describe('the interval that an agent says', () => {
  it.each([
    [1, 900],
    [900, 900],
    [901, 1800],
    [3600, 3600],
    [3601, 7200],
    [1e9, 86_400],
  ])('of %i s is counted as %i s', (stated, counted) => {
    expect(countedInterval(stated)).toBe(counted)
  })

  it.each([[undefined], [0], [-3600], ['3600'], [true]])('that is %s is none', (stated) => {
    expect(countedInterval(stated)).toBeNull()
  })
})
