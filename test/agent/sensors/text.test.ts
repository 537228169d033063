import * as fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { printable, printableWord } from '../../../agent/sensors/text.ts'
import { text } from '../../../shared/posture/text.ts'

const bytes = (...values: number[]): string => String.fromCharCode(...values)
const utf8 = (value: string): string => Buffer.from(value).toString('latin1')

test.each([
  ['plain', 'plain'],
  [utf8('Gerät'), 'Gerät'],
  ['a\nb', 'a\\x0ab'],
  ['a\\x0ab', 'a\\x5cx0ab'],
  [bytes(0x61, 0xff), 'a\\xff'],
  [utf8('\u202etxt'), '\\xe2\\x80\\xaetxt'],
  ['\u001b[2J', '\\x1b[2J'],
])('%j is shown as %j', (input, shown) => {
  expect(printable(input, 100)).toBe(shown)
})

const byteString = fc.uint8Array({ maxLength: 20 }).map((values) => bytes(...values))

test('different bytes never look alike, and always pass the schema', () => {
  const schema = text(200)
  fc.assert(
    fc.property(byteString, byteString, (a, b) => {
      expect(printable(a, 200) === printable(b, 200)).toBe(a === b)
      expect(v.is(schema, printable(a, 200))).toBe(true)
      expect(printableWord(a, 200)).toMatch(/^\S*$/)
    }),
  )
})

test('a cut text has a mark and keeps to its length', () => {
  fc.assert(
    fc.property(byteString, fc.integer({ min: 8, max: 30 }), (input, length) => {
      const shown = printable(input, length)
      expect(shown.length).toBeLessThanOrEqual(length)
      expect(shown.endsWith('\\...')).toBe(printable(input, 200).length > length)
      expect(v.is(text(length), shown)).toBe(true)
    }),
  )
  expect(printable(utf8('😀'.repeat(10)), 9)).toBe('😀😀\\...')
})
