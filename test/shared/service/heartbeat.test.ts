import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startHeartbeat, type Heartbeat, type Timing } from '../../../shared/service/heartbeat.ts'

const told: string[] = []
let heartbeat: Heartbeat

const timing: Timing = {
  monotonic: () => Date.now(),
  every: (ms, action) => {
    const timer = setInterval(action, ms)
    return () => clearInterval(timer)
  },
}

beforeEach(() => {
  vi.useFakeTimers()
  told.length = 0
  heartbeat = startHeartbeat({ watchdogMs: 300_000, tell: (...lines) => told.push(...lines) }, timing)
})
afterEach(() => {
  heartbeat.stop()
  vi.useRealTimers()
})

describe('the heartbeat', () => {
  it('comes three times in the interval that the service manager waits', () => {
    vi.advanceTimersByTime(300_000)
    expect(told).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
  })

  it('goes on while work takes its time, and stops when work does not end', () => {
    void heartbeat.during(new Promise(() => undefined))
    vi.advanceTimersByTime(500_000)
    expect(told).toHaveLength(5)
    vi.advanceTimersByTime(3_600_000)
    expect(told).toHaveLength(5)
  })

  it('goes on after work that failed', async () => {
    await expect(heartbeat.during(Promise.reject(new Error('x')))).rejects.toThrow('x')
    vi.advanceTimersByTime(3_600_000)
    expect(told).toHaveLength(36)
  })

  it('does not come where nobody watches, or after the end', () => {
    heartbeat.stop()
    const unwatched = startHeartbeat({ watchdogMs: undefined, tell: (...lines) => told.push(...lines) }, timing)
    vi.advanceTimersByTime(3_600_000)
    expect(told).toEqual([])
    unwatched.stop()
  })
})
