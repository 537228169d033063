import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runVirtual, VirtualClock } from '../../../deploy/simulator/clock.ts'
import { Schedule } from '../../../deploy/simulator/schedule.ts'

const nothing = (): Promise<void> => Promise.resolve()
const settled = nothing

describe('a schedule', () => {
  it('gives every task once, by time, and those of one time in the order in which they came', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 })
    // A task may schedule others while it runs.
    await fc.assert(
      fc.asyncProperty(times, times, async (before, during) => {
        const schedule = new Schedule()
        const ran: { at: number; order: number }[] = []
        let order = 0
        const later = [...during]
        const add = (at: number): void => {
          const own = order++
          schedule.add(at, () => {
            ran.push({ at, order: own })
            const next = later.pop()
            if (next !== undefined) add(at + next)
            return Promise.resolve()
          })
        }
        for (const at of before) add(at)
        await runVirtual(schedule, new VirtualClock(0), Number.MAX_SAFE_INTEGER, settled)
        expect(ran).toHaveLength(order)
        expect(ran).toEqual(ran.toSorted((a, b) => a.at - b.at || a.order - b.order))
        expect(schedule.size).toBe(0)
      }),
    )
  })

  it('leaves what is due later than it was asked for', async () => {
    const schedule = new Schedule()
    const clock = new VirtualClock(1_000)
    const ran: number[] = []
    for (const at of [5, 10, 11]) {
      schedule.add(at, () => {
        ran.push(clock.wall())
        return Promise.resolve()
      })
    }
    await runVirtual(schedule, clock, 10, settled)
    expect(ran).toEqual([1_005, 1_010])
    expect({ next: schedule.nextAt, now: clock.now() }).toEqual({ next: 11, now: 10 })
  })

  it('is empty at first', () => {
    const schedule = new Schedule()
    expect([schedule.size, schedule.nextAt, schedule.take()]).toEqual([0, undefined, undefined])
  })
})
