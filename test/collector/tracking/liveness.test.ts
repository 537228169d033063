import { describe, expect, it } from 'vitest'
import type { Downtime } from '../../../collector/liveness/downtime.ts'
import { deadlinesAt, defaultLivenessPolicy, livenessOf } from '../../../collector/tracking/liveness.ts'

const NOW = Date.UTC(2026, 4, 1)
const policy = defaultLivenessPolicy
const seen = (lastFreshAt: number | null, downtime: Downtime = [], freshExtended = false) =>
  livenessOf({ lastFreshAt, freshExtended }, { policy, now: NOW, downtime })
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
