import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Visits } from '../../../agent/transport/visits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const MINUTE = 60_000

/** A visit and what it does, in order. `waiting`: reports without a receipt. */
function visiting() {
  const done: string[] = []
  const site: { waiting: number; epoch: number | null } = { waiting: 0, epoch: 1 }
  const visits = new Visits({
    connect: () => void done.push('connect'),
    leave: async () => void done.push('leave'),
    report: async () => {
      done.push('report')
      site.waiting += 1
    },
    newestEpoch: () => site.epoch,
    isDone: () => site.waiting === 0,
    left: () => void done.push('left'),
  })
  const receipted = () => {
    site.waiting = 0
    visits.progressed()
  }
  return { visits, done, receipted, site }
}

test('a visit measures under the newest epoch, and ends with the receipt', async () => {
  const { visits, done, receipted } = visiting()
  expect(visits.isResting).toBe(true)
  visits.begin()
  visits.connected()
  await visits.epochArrived()
  expect(done).toEqual(['connect', 'report'])
  await pass(5_000)
  expect(visits.isResting).toBe(false)
  receipted()
  await pass(2_000)
  expect(done).toEqual(['connect', 'report', 'leave', 'left'])
  expect(visits.isResting).toBe(true)
})

test('an epoch that comes again makes no second report', async () => {
  const { visits, done } = visiting()
  visits.begin()
  visits.connected()
  await Promise.all([visits.epochArrived(), visits.epochArrived()])
  await visits.epochArrived()
  expect(done.filter((each) => each === 'report')).toHaveLength(1)
})

test('without a receipt it leaves after a minute in which nothing came, and brings the report the next time', async () => {
  const { visits, done } = visiting()
  visits.begin()
  visits.connected()
  await visits.epochArrived()
  await pass(MINUTE - 1)
  expect(visits.isResting).toBe(false)
  visits.progressed()
  await pass(MINUTE - 1)
  expect(visits.isResting).toBe(false)
  await pass(1)
  expect(done).toEqual(['connect', 'report', 'leave', 'left'])
})

test('without a way to the broker the report is made after a minute, and brought when there is one', async () => {
  const { visits, done, receipted } = visiting()
  visits.begin()
  await pass(MINUTE)
  expect(done).toEqual(['connect', 'report'])
  await pass(10 * MINUTE)
  expect(visits.isResting).toBe(false)
  visits.connected()
  await visits.epochArrived()
  receipted()
  await pass(2_000)
  expect(done).toEqual(['connect', 'report', 'leave', 'left'])
})

test('a report that was made before the connection is made again under a newer epoch, once', async () => {
  const { visits, done, receipted, site } = visiting()
  visits.begin()
  await pass(MINUTE)
  visits.connected()
  site.epoch = 2
  await visits.epochArrived()
  expect(done).toEqual(['connect', 'report', 'report'])
  site.epoch = 3
  await visits.epochArrived()
  receipted()
  await pass(2_000)
  expect(done).toEqual(['connect', 'report', 'report', 'leave', 'left'])
})

test('a slow link without any epoch yet makes its report when the first one comes', async () => {
  const { visits, done, site } = visiting()
  site.epoch = null
  visits.begin()
  await pass(MINUTE)
  visits.connected()
  site.epoch = 1
  await visits.epochArrived()
  expect(done).toEqual(['connect', 'report', 'report'])
})

test('a newer epoch that comes while an unconnected report is made is answered as well', async () => {
  const done: (number | null)[] = []
  let epoch: number | null = 1
  let made = (): void => undefined
  const visits = new Visits({
    connect: () => undefined,
    leave: async () => undefined,
    report: () => {
      done.push(epoch)
      return new Promise((resolve) => (made = resolve))
    },
    newestEpoch: () => epoch,
    isDone: () => false,
    left: () => undefined,
  })
  visits.begin()
  await pass(MINUTE)
  visits.connected()
  epoch = 2
  await visits.epochArrived()
  expect(done).toEqual([1])
  made()
  await pass(0)
  expect(done).toEqual([1, 2])
  made()
  await pass(0)
  expect(done).toEqual([1, 2])
})

test('a report that is due while the one before is still to be brought is made as well', async () => {
  const { visits, done } = visiting()
  visits.begin()
  await pass(MINUTE)
  visits.begin()
  await pass(MINUTE)
  expect(done).toEqual(['connect', 'report', 'connect', 'report'])
})

test('whoever is stopped does nothing more', async () => {
  const { visits, done } = visiting()
  visits.begin()
  visits.stop()
  await visits.epochArrived()
  await pass(10 * MINUTE)
  expect(done).toEqual(['connect'])
})
