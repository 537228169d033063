import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Renewer } from '../../agent/renew/renewer.ts'
import { isDue, retryMs } from '../../agent/renew/schedule.ts'
import type { Identity } from '../../agent/state/identity.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { createPki } from '../support/pki.ts'

const DAY = 86_400_000
// An hour back, and a year from now.
const pki = createPki()
const { cert } = pki.device('0100')
const identity = { tls: { certificate: cert, certificateAuthority: pki.authority } } as Identity
const other = createPki().authority

describe('the renewal is due', () => {
  const now = Date.now()
  it.each([
    ['not at once', now, false],
    ['not after half of the life', now + 182 * DAY, false],
    ['after two thirds of it', now + 245 * DAY, true],
    ['a year after the end', now + 730 * DAY, true],
    ['not by a clock that begins in 1970', 0, false],
  ])('%s', (_, at, due) => {
    expect(isDue(cert, at)).toBe(due)
  })

  it('again and again, and not more often than every six hours', () => {
    expect([1, 2, 3].map(retryMs)).toEqual([60_000, 120_000, 240_000])
    expect(retryMs(1000)).toBe(6 * 3_600_000)
  })
})

describe('the renewer', () => {
  const warned: string[] = []
  const log = { error: vi.fn(), warn: (text: string) => warned.push(text), info: vi.fn(), debug: vi.fn() }
  let renewer: Renewer
  let calls: number
  let answer: () => Promise<Identity>
  const renewed: Identity[] = []

  const make = (begun = false): void => {
    renewer = new Renewer({
      identity,
      begun,
      renew: () => {
        calls++
        return answer()
      },
      renewed: (next) => renewed.push(next),
      log,
      now: () => Date.now(),
      random: () => 0,
    })
    renewer.start()
  }

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.now() })
    calls = 0
    warned.length = 0
    renewed.length = 0
    answer = () => Promise.reject(new KeepsealError('collector.unreachable', 'collector.example'))
  })
  afterEach(() => {
    renewer.stop()
    vi.useRealTimers()
  })

  it.each<[string, string, calls: number]>([
    ['at once where no authority that holds has issued it', other, 1],
    ['soon where a former one has', other + pki.authority, 1],
    ['when it is time where the one has that certifies now', pki.authority + other, 0],
  ])('renews %s', async (_, certificateAuthority, expected) => {
    answer = () => Promise.resolve(identity)
    make()
    renewer.use({ ...identity, tls: { ...identity.tls, certificateAuthority } })
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(calls).toBe(expected)
  })

  it('waits until it is time', async () => {
    make()
    await vi.advanceTimersByTimeAsync(240 * DAY)
    expect(calls).toBe(0)
    await vi.advanceTimersByTimeAsync(10 * DAY)
    expect(calls).toBeGreaterThan(0)
  })

  it('goes on without end where there is no network for a week, and says it once', async () => {
    make(true)
    await vi.advanceTimersByTimeAsync(7 * DAY)
    expect(calls).toBeGreaterThan(25)
    expect(calls).toBeLessThan(60)
    expect(warned).toHaveLength(1)
    expect(renewer.problem).toContain('collector.example')
    const next = { ...identity }
    answer = () => Promise.resolve(next)
    await vi.advanceTimersByTimeAsync(DAY)
    expect([renewed, renewer.problem]).toEqual([[next], undefined])
  })

  it('asks at once for what an earlier run has begun', async () => {
    answer = () => Promise.resolve(identity)
    make(true)
    await vi.advanceTimersByTimeAsync(61_000)
    expect([calls, renewed.length]).toEqual([1, 1])
  })

  it('does nothing once it is stopped', async () => {
    make(true)
    renewer.stop()
    await vi.advanceTimersByTimeAsync(DAY)
    expect(calls).toBe(0)
  })
})
