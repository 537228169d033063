import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pace } from '../../../collector/web/core/pace.ts'

describe('how often an open page asks again', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('window', globalThis)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('is at most a twentieth of the time, and soon where an answer takes no time', () => {
    const pace = new Pace(400)
    expect(pace.delay).toBe(400)
    pace.took(5)
    expect(pace.delay).toBe(400)
    pace.took(300)
    expect(pace.delay).toBe(6_000)
    pace.took(60_000)
    expect(pace.delay).toBe(30_000)
  })

  it('is not put off for ever by changes that never stop', () => {
    const pace = new Pace(400)
    const ask = vi.fn()
    pace.took(100)
    for (let at = 0; at < 10_000; at += 100) {
      pace.later(ask)
      vi.advanceTimersByTime(100)
    }
    expect(ask.mock.calls.length).toBe(5)
    pace.later(ask)
    pace.stop()
    vi.advanceTimersByTime(10_000)
    expect(ask.mock.calls.length).toBe(5)
  })
})
