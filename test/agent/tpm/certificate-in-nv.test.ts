import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certificateIn } from '../../../agent/tpm/endorsement-key.ts'
import { concat, fromHex } from '../../../shared/bytes/bytes.ts'

/** A SEQUENCE with `length` bytes of content, its length in the shortest form. */
function sequence(length: number): Uint8Array {
  const hex = length.toString(16)
  const bytes = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
  const header = length < 0x80 ? bytes : concat(Uint8Array.of(0x80 + bytes.length), bytes)
  return concat(Uint8Array.of(0x30), header, new Uint8Array(length).fill(5))
}

describe('the certificate in an NV index', () => {
  test('ends where its DER ends, whatever fills up the index', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), fc.uint8Array({ maxLength: 40 }), (length, filler) => {
        const certificate = sequence(length)
        expect(Buffer.from(certificateIn(concat(certificate, filler)) ?? []).equals(certificate)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    ['an index of zeros', '0000000000000000'],
    ['an index that was filled with ones', 'ffffffffffffffff'],
    ['an empty index', ''],
    ['a tag alone', '30'],
    ['a length beyond the index', '3003aabb'],
    ['a long length beyond the index', '308203e8aabb'],
    ['a length that is cut', '3082'],
    ['an indefinite length', '308002aabb0000'],
    ['a length of four bytes', '308400000001aa'],
  ])('is absent in %s', (_, hex) => {
    expect(certificateIn(fromHex(hex))).toBeUndefined()
  })
})
