import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../../../shared/text/suggest.ts'

describe('editDistance', () => {
  test.each([
    ['kitten', 'sitting', 3],
    ['status', 'statsu', 1],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['ca', 'abc', 3],
  ])('from %s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })

  test('is symmetric, and zero for equal text alone', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
      }),
    )
  })
})

describe('nearest', () => {
  test('finds the name that was meant', () => {
    expect(nearest('stauts', ['doctor', 'status', 'run'])).toBe('status')
  })

  test('suggests nothing when no name is near', () => {
    expect(nearest('zzzz', ['doctor', 'status', 'run'])).toBeUndefined()
  })

  test('does not work on names of absurd length', () => {
    expect(nearest('x'.repeat(1_000_000), ['x'])).toBeUndefined()
  })
})
