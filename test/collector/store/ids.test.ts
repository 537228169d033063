import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeId } from '../../../collector/store/ids.ts'

describe('an id', () => {
  it('is the example of RFC 9562 appendix A.6', () => {
    // 017F22E2-79B0-7CC3-98C4-DC0C0C07398F: rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    const random = () => Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f])
    expect(makeId('fnd', 0x017f22e279b0, random)).toBe('fnd_017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  it('has version 7 and the RFC variant, and sorts by time', () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 })
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [first, second] = [makeId('cas', a, randomBytes), makeId('cas', b, randomBytes)]
        expect(first).toMatch(/^cas_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        if (a !== b) expect(first < second).toBe(a < b)
      }),
    )
  })

  it('is refused for a time that is none', () => {
    for (const now of [-1, 1.5, Number.NaN, 2 ** 48]) expect(() => makeId('prd', now, randomBytes)).toThrow(RangeError)
  })
})
