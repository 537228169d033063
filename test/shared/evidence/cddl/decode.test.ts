import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromHex, toHex } from '../../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../../shared/cbor/codec.ts'
import { CborTag, type CborValue } from '../../../../shared/cbor/value.ts'
import { decodeItem, Entries, Tagged, type Item } from '../../../support/cddl/decode.ts'
import { fixturesDescribe, readJsonFixture } from '../../../support/fixtures.ts'
import { cborValue } from '../../cbor/arbitrary.ts'

interface Vector {
  readonly hex: string
  readonly roundtrip: boolean
  readonly decoded?: unknown
  readonly diagnostic?: string
}

/** The diagnostic notation of RFC 8949 section 8, and JSON where that says the same. */
function diagnosticOf(item: Item): string {
  if (item instanceof Uint8Array) return `h'${toHex(item)}'`
  if (item instanceof Tagged) return `${item.tag}(${diagnosticOf(item.content)})`
  if (item instanceof Entries) {
    return `{${item.pairs.map(([key, value]) => `${diagnosticOf(key)}: ${diagnosticOf(value)}`).join(', ')}}`
  }
  if (Array.isArray(item)) return `[${item.map(diagnosticOf).join(', ')}]`
  return typeof item === 'string' ? JSON.stringify(item) : `${item as bigint | boolean | null}`
}

const valueOf = (item: Item): CborValue => {
  if (item instanceof Tagged) return new CborTag(Number(item.tag), valueOf(item.content))
  if (item instanceof Entries) {
    return new Map(item.pairs.map(([key, value]) => [typeof key === 'bigint' ? Number(key) : `${key}`, valueOf(value)]))
  }
  return Array.isArray(item) ? item.map(valueOf) : (item as CborValue)
}

/** Floats, simple values, indefinite lengths: not of the wire. The tagged float is one, too. */
const isOutside = ({ hex, roundtrip }: Vector): boolean =>
  !roundtrip || /^(f[0-3789ab]|c1fb)/.test(hex) || hex === 'f818'

const spaced = (json: unknown): string => JSON.stringify(json).replaceAll(/([,:])(?=\S)/g, '$1 ')

fixturesDescribe('cbor', 'the independent decoder on the examples of RFC 8949 appendix A', () => {
  for (const vector of readJsonFixture('cbor', 'appendix_a.json') as Vector[]) {
    const { hex, diagnostic, decoded } = vector
    if (isOutside(vector)) it(`refuses ${hex}`, () => expect(() => decodeItem(fromHex(hex))).toThrow())
    else {
      it(`reads ${hex}`, () => {
        const item = decodeItem(fromHex(hex))
        if (diagnostic !== undefined) expect(diagnosticOf(item)).toBe(diagnostic)
        // JSON has no more than 53 bits, and what it holds as a number may be a bignum here.
        else if (typeof decoded === 'number') expect(Number(item instanceof Tagged ? decoded : item)).toBe(decoded)
        else expect(diagnosticOf(item)).toBe(spaced(decoded))
      })
    }
  }
})

it('reads whatever shared/cbor writes, as the value that was written', () => {
  fc.assert(
    fc.property(cborValue, (value) => {
      const bytes = encodeCbor(value)
      expect(toHex(encodeCbor(valueOf(decodeItem(bytes))))).toBe(toHex(bytes))
    }),
  )
})

it.each([
  ['a number that is not in its shortest form', '1817'],
  ['a length that is not in its shortest form', '590002abcd'],
  ['eight bytes for 32 bits', '1b00000000ffffffff'],
  ['keys out of order', 'a202010101'],
  ['a key twice', 'a201010102'],
  ['bytes behind the item', '0000'],
  ['a missing item', '8201'],
  ['a string longer than the input', '43abcd'],
  ['invalid UTF-8', '61ff'],
  ['nothing', ''],
])('the independent decoder refuses %s', (_, hex) => {
  expect(() => decodeItem(fromHex(hex))).toThrow()
})
