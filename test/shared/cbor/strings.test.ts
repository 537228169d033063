import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equal } from '../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import { encodeStrings } from '../../../shared/cbor/strings.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.startsWith('\ufeff'))

describe('an array of strings', () => {
  it('has the encoding that the codec gives it', () => {
    const item = fc.oneof(text, fc.uint8Array({ maxLength: 300 }), fc.constant(null))
    fc.assert(
      fc.property(fc.array(item, { maxLength: 23 }), (items) => {
        expect(encodeStrings(items)).toEqual(encodeCbor(items))
      }),
    )
  })

  it.each([0, 23, 24, 255, 256, 65_535, 65_536])('writes the length %i in its shortest form', (length) => {
    const items = [new Uint8Array(length), 'a'.repeat(length)]
    expect(equal(encodeStrings(items), encodeCbor(items))).toBe(true)
  })
})
