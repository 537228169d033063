import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  downtimeBetween,
  downtimeOf,
  momentBefore,
  UNHEARD_MS,
  type RecordedInterval,
} from '../../../collector/liveness/downtime.ts'

const up = (from: number, to: number): RecordedInterval => ({ kind: 'up', from, to, cause: 'started' })

describe('the downtime of collectors', () => {
  it('is what lies between the times in which any of them was there', () => {
    expect(downtimeOf([up(0, 100), up(50, 300), up(900, 1_000)], 1_000)).toEqual([{ from: 300, to: 900 }])
    expect(downtimeOf([], 1_000)).toEqual([])
    expect(downtimeOf([up(500, 600)], 600)).toEqual([])
  })

  it('goes on where nobody has written anything for long', () => {
    expect(downtimeOf([up(0, 100)], 100 + UNHEARD_MS)).toEqual([])
    expect(downtimeOf([up(0, 100)], 101 + UNHEARD_MS)).toEqual([{ from: 100, to: 101 + UNHEARD_MS }])
  })

  it('includes times in which devices had to wait, once', () => {
    const backlog: RecordedInterval = { kind: 'backlog', from: 250, to: 500, cause: 'backlog' }
    expect(downtimeOf([up(0, 300), backlog, up(400, 1_000)], 1_000)).toEqual([{ from: 250, to: 500 }])
  })

  it('never counts a moment twice, and leaves as much time between a moment and now as it was asked for', () => {
    const interval = fc
      .tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 3_000 }), fc.boolean())
      .map(([from, length, isUp]): RecordedInterval => ({
        kind: isUp ? 'up' : 'backlog',
        from,
        to: from + length,
        cause: 'x',
      }))
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 12 }), fc.integer({ min: 1, max: 9_000 }), (intervals, ms) => {
        const now = 20_000
        const sorted = [...intervals].sort((one, other) => one.from - other.from)
        const downtime = downtimeOf(sorted, now)
        for (const [index, gap] of downtime.entries()) {
          expect(gap.to).toBeGreaterThanOrEqual(gap.from)
          expect(gap.from).toBeGreaterThan(downtime[index - 1]?.to ?? -1)
        }
        const moment = momentBefore(downtime, now, ms)
        expect(now - moment - downtimeBetween(downtime, moment, now)).toBe(ms)
      }),
    )
  })
})
