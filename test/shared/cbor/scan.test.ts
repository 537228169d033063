import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { DEFAULT_CBOR_LIMITS, scanCbor } from '../../../shared/cbor/scan.ts'
import { findInvalidUtf8 } from '../../../shared/cbor/utf8.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { cborLikeBytes } from './arbitrary.ts'

const scanned = (hex: string) => outcomeOf(() => scanCbor(fromHex(hex)))

describe('the scanner refuses', () => {
  it.each([
    ['no bytes at all', '', 'cbor.truncated'],
    ['an argument that is cut off', '1901', 'cbor.truncated'],
    ['an array whose last item is missing', '82190100', 'cbor.truncated'],
    ['a map key without its value', 'a26161016162', 'cbor.truncated'],
    ['a tag without content', 'd2', 'cbor.truncated'],
    ['bytes after the item', '0000', 'cbor.trailing-bytes'],
    ['a break after the item', '80ff', 'cbor.trailing-bytes'],
    ['23 in two bytes', '1817', 'cbor.non-minimal'],
    ['255 in three bytes', '1900ff', 'cbor.non-minimal'],
    ['65535 in five bytes', '1a0000ffff', 'cbor.non-minimal'],
    ['2^32 - 1 in nine bytes', '1b00000000ffffffff', 'cbor.non-minimal'],
    ['-1 in two bytes', '3800', 'cbor.non-minimal'],
    ['a length in more bytes than it needs', '580100', 'cbor.non-minimal'],
    ['a tag number in more bytes than it needs', 'd81200', 'cbor.non-minimal'],
    ['a map count in more bytes than it needs', 'b80100f6', 'cbor.non-minimal'],
    ['a byte string of indefinite length', '5f4100ff', 'cbor.indefinite-length'],
    ['a text string of indefinite length', '7f6161ff', 'cbor.indefinite-length'],
    ['an array of indefinite length', '9f00ff', 'cbor.indefinite-length'],
    ['a map of indefinite length', 'bf0000ff', 'cbor.indefinite-length'],
    ['a break in place of an item', '8200ff', 'cbor.indefinite-length'],
    ['the same integer key twice', 'a201000100', 'cbor.duplicate-key'],
    ['the same text key twice', 'a2616100616100', 'cbor.duplicate-key'],
    ['the same key twice in a nested map', '81a201f601f6', 'cbor.duplicate-key'],
    ['integer keys out of order', 'a202000100', 'cbor.unsorted-keys'],
    ['a negative key before a positive one', 'a220000100', 'cbor.unsorted-keys'],
    ['a text key before an integer one', 'a26161000100', 'cbor.unsorted-keys'],
    ['a longer text key before a shorter one', 'a262616100616200', 'cbor.unsorted-keys'],
    ['a third key equal to the first', 'a3010002000100', 'cbor.unsorted-keys'],
    ['a byte string of 200 MB in five bytes', '5a0bebc200', 'cbor.length-exceeds-input'],
    ['a text string of 2^64 - 1 bytes', '7bffffffffffffffff', 'cbor.length-exceeds-input'],
    ['an array of 2^32 items', '9b0000000100000000', 'cbor.length-exceeds-input'],
    ['a map with more entries than bytes can hold', 'a2010203', 'cbor.length-exceeds-input'],
    ['a map of 2^63 entries', 'bb8000000000000000', 'cbor.length-exceeds-input'],
    ['an overlong slash', '62c0af', 'cbor.invalid-utf8'],
    ['an encoded surrogate', '63eda080', 'cbor.invalid-utf8'],
    ['a character above U+10FFFF', '64f4908080', 'cbor.invalid-utf8'],
    ['a character that the end of the text cuts off', '61c3', 'cbor.invalid-utf8'],
    ['a character that would borrow bytes of the next item', '8261c361a9', 'cbor.invalid-utf8'],
    ['a lone continuation byte', '6180', 'cbor.invalid-utf8'],
    ['a byte order mark before a text', '64efbbbf61', 'cbor.invalid-utf8'],
    ['invalid UTF-8 in a key', 'a161ff00', 'cbor.invalid-utf8'],
    ['undefined', 'f7', 'cbor.unsupported-type'],
    ['an unassigned simple value', 'f0', 'cbor.unsupported-type'],
    ['a simple value in two bytes', 'f8ff', 'cbor.unsupported-type'],
    ['true in two bytes', 'f815', 'cbor.unsupported-type'],
    ['a half-precision float', 'f93c00', 'cbor.unsupported-type'],
    ['a single-precision float', 'fa47c35000', 'cbor.unsupported-type'],
    ['a double-precision float', 'fb3ff199999999999a', 'cbor.unsupported-type'],
    ['a reserved argument size', '1c', 'cbor.unsupported-type'],
    ['an integer of indefinite length', '1f', 'cbor.unsupported-type'],
    ['-2^64, which the codec cannot write as an integer', '3bffffffffffffffff', 'cbor.unsupported-type'],
    ['a byte string as key', 'a1410000', 'cbor.unsupported-type'],
    ['an array as key', 'a18000', 'cbor.unsupported-type'],
    ['null as key', 'a1f600', 'cbor.unsupported-type'],
    ['a tagged key', 'a1d20000', 'cbor.unsupported-type'],
    ['a key above 2^53 - 1', 'a11b002000000000000000', 'cbor.unsupported-type'],
    ['a key below -2^53 + 1', 'a13b001fffffffffffff00', 'cbor.unsupported-type'],
    ['a bignum', 'c249010000000000000000', 'cbor.unsupported-type'],
    ['a tag that makes the decoder build a regular expression', 'd81b82665265674578706161', 'cbor.unsupported-type'],
    ['a tag that makes the decoder link items', 'd81c80', 'cbor.unsupported-type'],
    ['a tag that makes the decoder define a record', 'd9dfff8319e00081616100', 'cbor.unsupported-type'],
    ['a tag above 32 bits', 'db000000010000001200', 'cbor.unsupported-type'],
  ])('%s', (_fault, hex, code) => {
    expect(scanned(hex)).toBe(code)
  })

  it('nesting 10,000 deep', () => {
    for (const head of [0x81, 0xd2]) {
      const bytes = new Uint8Array(10_001).fill(head)
      bytes[10_000] = 0xf6
      expect(outcomeOf(() => scanCbor(bytes))).toBe('cbor.too-deep')
    }
  })

  it('one container more than the depth allows', () => {
    const nested = (depth: number) => Uint8Array.from([...Array<number>(depth - 1).fill(0x81), 0x80])
    expect(outcomeOf(() => scanCbor(nested(16)))).toBeUndefined()
    expect(outcomeOf(() => scanCbor(nested(17)))).toBe('cbor.too-deep')
  })

  it('one item more than allowed, as soon as it is announced', () => {
    const items = (count: number) => Uint8Array.from([0x99, count >> 8, count & 255, ...Array<number>(count).fill(0)])
    expect(outcomeOf(() => scanCbor(items(4095)))).toBeUndefined()
    expect(outcomeOf(() => scanCbor(items(4096)))).toBe('cbor.too-many-items')
  })

  it('items that nested arrays announce together', () => {
    const limits = { ...DEFAULT_CBOR_LIMITS, maxItems: 6 }
    expect(outcomeOf(() => scanCbor(fromHex('8282000000'), limits))).toBeUndefined()
    expect(outcomeOf(() => scanCbor(fromHex('8382000000f6'), limits))).toBeUndefined()
    expect(outcomeOf(() => scanCbor(fromHex('838200008100f6'), limits))).toBe('cbor.too-many-items')
  })

  it('one byte more than allowed', () => {
    const bstr = (size: number) => Uint8Array.from([0x43, 1, 2, 3]).subarray(0, size)
    expect(outcomeOf(() => scanCbor(bstr(4), { ...DEFAULT_CBOR_LIMITS, maxBytes: 4 }))).toBeUndefined()
    expect(outcomeOf(() => scanCbor(bstr(4), { ...DEFAULT_CBOR_LIMITS, maxBytes: 3 }))).toBe('cbor.too-large')
  })
})

describe('the scanner', () => {
  it.each([
    ['the largest key', 'a11b001fffffffffffff00'],
    ['the smallest key', 'a13b001ffffffffffffe00'],
    ['-2^64 + 1', '3bfffffffffffffffe'],
    ['every kind of key in order', 'a5000018180020003818006000'],
    ['text keys in the order of length, then bytes', 'a361610061620062616100'],
    ['an empty map in a tag in an array', '81d2a0'],
    ['a byte order mark inside a text', '6461efbbbf'],
  ])('accepts %s', (_what, hex) => {
    expect(scanned(hex)).toBeUndefined()
  })

  it('names the byte at which the fault is', () => {
    expect(() => scanCbor(fromHex('8201f7'))).toThrow('at byte 2')
  })

  it('ends any bytes with acceptance or an outcome, and nothing else', () => {
    fc.assert(
      fc.property(cborLikeBytes, (bytes) => {
        const code = outcomeOf(() => scanCbor(bytes))
        if (code !== undefined) expect(code).toMatch(/^cbor\./)
      }),
      { numRuns: 2000 },
    )
  })

  it('calls the same bytes UTF-8 as the platform does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const interesting = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xf0,
      0xf1,
      0xf4,
      0xf5,
      0xff,
    )
    const bytes = fc.oneof(
      fc.array(interesting, { maxLength: 6 }).map((items) => Uint8Array.from(items)),
      fc.uint8Array({ maxLength: 8 }),
    )
    fc.assert(
      fc.property(bytes, (text) => {
        let valid = true
        try {
          decoder.decode(text)
        } catch {
          valid = false
        }
        expect(findInvalidUtf8(text, 0, text.length) === -1).toBe(valid)
      }),
      { numRuns: 5000 },
    )
  })
})
