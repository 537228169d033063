import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffDelay, DEFAULT_BACKOFF } from '../../../agent/transport/backoff.ts'

const almostOne = 1 - Number.EPSILON

test('the bound doubles with each failure, up to five minutes', () => {
  const bounds = [1, 2, 3, 8, 9, 10, 1000].map((failures) => backoffDelay(failures, almostOne, DEFAULT_BACKOFF))
  expect(bounds).toEqual([999, 1999, 3999, 127_999, 255_999, 299_999, 299_999])
})

test('the delay is anything from nothing to the bound', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: almostOne, noNaN: true }), (failures, random) => {
      const delay = backoffDelay(failures, random, DEFAULT_BACKOFF)
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThanOrEqual(backoffDelay(failures, almostOne, DEFAULT_BACKOFF))
    }),
  )
  expect(backoffDelay(5, 0, DEFAULT_BACKOFF)).toBe(0)
})
