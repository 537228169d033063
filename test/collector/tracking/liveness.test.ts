import { describe, expect, it } from 'vitest'
import { defaultLivenessPolicy, livenessOf } from '../../../collector/tracking/liveness.ts'

const NOW = Date.UTC(2026, 4, 1)
const after = (seconds: number) => livenessOf({ lastFreshAt: NOW - seconds * 1000 }, defaultLivenessPolicy, NOW)

describe('liveness', () => {
  it('of a device without fresh evidence is never-seen', () => {
    expect(livenessOf({ lastFreshAt: null }, defaultLivenessPolicy, NOW)).toBe('never-seen')
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

  it('is not fresh because a clock went back', () => {
    expect(after(-1)).toBe('fresh')
    expect(after(-601)).toBe('stale')
    expect(after(-1e6)).toBe('silent')
  })
})
