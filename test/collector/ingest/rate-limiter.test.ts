import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RateLimiter } from '../../../collector/ingest/rate-limiter.ts'

const limiter = (devices = 10) => new RateLimiter({ capacity: 10, periodMs: 1000, devices })

describe('the rate limit of a device', () => {
  it('lets a burst of its capacity pass, then holds back for the time of one', () => {
    const rate = limiter()
    expect(Array.from({ length: 10 }, () => rate.take('a', 1, 0))).toEqual(Array.from({ length: 10 }, () => 0))
    expect(rate.take('a', 1, 0)).toBe(100)
    expect(rate.take('a', 1, 100)).toBe(0)
  })

  it('is each device’s own', () => {
    const rate = limiter()
    expect(rate.take('a', 10, 0)).toBe(0)
    expect(rate.take('a', 1, 0)).toBeGreaterThan(0)
    expect(rate.take('b', 10, 0)).toBe(0)
  })

  it('gives nothing for a clock that was set back', () => {
    const rate = limiter()
    rate.take('a', 10, 5000)
    expect(rate.take('a', 1, 0)).toBeGreaterThan(0)
  })

  it('never lets more pass than capacity and time allow', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 500 }))), (steps) => {
        const rate = limiter()
        let now = 0
        let passed = 0
        for (const [amount, pause] of steps) {
          now += pause
          if (rate.take('a', amount, now) === 0) passed += amount
          expect(passed).toBeLessThanOrEqual(10 + now / 100 + 1e-6)
        }
      }),
    )
  })

  it('forgets the least recently active device when there are too many', () => {
    const rate = limiter(2)
    rate.take('a', 10, 0)
    rate.take('b', 10, 0)
    rate.take('c', 10, 0)
    expect(rate.take('a', 10, 0)).toBe(0)
    expect(rate.take('c', 1, 0)).toBeGreaterThan(0)
  })
})
