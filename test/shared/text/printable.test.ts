import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth, isPrintable, printable, printableJson, truncate } from '../../../shared/text/printable.ts'

/** Text of any code points, halves of surrogate pairs among them. */
const anyText = fc
  .array(fc.oneof(fc.nat(0x2ff), fc.nat(0x10ffff)), { maxLength: 60 })
  .map((points) => String.fromCodePoint(...points))

describe('printable', () => {
  test.each([
    ['an escape sequence', '\u001b[2Jx', '\\u{1b}[2Jx'],
    ['an eight-bit control sequence introducer', '\u009b31m', '\\u{9b}31m'],
    ['a line break that fakes further output', 'a\nerror: b', 'a\\u{a}error: b'],
    ['a reversed reading direction', 'a\u202etxt.exe', 'a\\u{202e}txt.exe'],
    ['an invisible character', 'ro\u200bot', 'ro\\u{200b}ot'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['half a surrogate pair', 'a\ud800', 'a\\u{d800}'],
  ])('escapes %s', (_, hostile, shown) => {
    expect(printable(hostile)).toBe(shown)
  })

  test('leaves text of any language alone', () => {
    const text = 'Größe: 大きさ, naïve ☂ – “x”'
    expect(printable(text)).toBe(text)
  })

  test('leaves nothing that does not print, whatever it is given', () => {
    fc.assert(fc.property(anyText, (text) => isPrintable(printable(text))))
  })
})

describe('printableJson', () => {
  test('is the same JSON without anything that does not print', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.array(anyText)), (value) => {
        const json = printableJson(value)
        expect(json.split('\n').every(isPrintable)).toBe(true)
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('escapes a character beyond the basic plane by its two halves', () => {
    expect(printableJson('\u{e0001}')).toBe('"\\udb40\\udc01"')
  })
})

test('truncate never exceeds the width that it is given', () => {
  fc.assert(
    fc.property(anyText, fc.nat(40), (text, width) => {
      expect(displayWidth(truncate(text, width))).toBeLessThanOrEqual(width)
    }),
  )
})
