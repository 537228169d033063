import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborTag, type CborValue } from '../../../shared/cbor/value.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { cborLikeBytes, cborValue } from './arbitrary.ts'

const encoded = (value: CborValue) => toHex(encodeCbor(value))

describe('encodeCbor', () => {
  it.each<[string, CborValue, string]>([
    ['2^32 - 1 in five bytes', 0xffff_ffff, '1affffffff'],
    ['2^32 as an integer, not a float', 0x1_0000_0000, '1b0000000100000000'],
    ['-2^32 in five bytes', -0x1_0000_0000, '3affffffff'],
    ['-2^32 - 1 as an integer', -0x1_0000_0001, '3b0000000100000000'],
    ['minus zero as zero', -0, '00'],
    ['a small bigint in its shortest form', 5n, '05'],
    ['a small negative bigint in its shortest form', -500n, '3901f3'],
    ['2^64 - 1', (1n << 64n) - 1n, '1bffffffffffffffff'],
    ['-2^64 + 1', -(1n << 64n) + 1n, '3bfffffffffffffffe'],
    ['bytes without a tag', Uint8Array.of(1), '4101'],
    ['a Buffer as bytes', Buffer.from([1]), '4101'],
    ['a small map with a short head', new Map([[1, 2]]), 'a10102'],
    ['a tag', new CborTag(18, []), 'd280'],
  ])('writes %s', (_what, value, hex) => {
    expect(encoded(value)).toBe(hex)
  })

  it('sorts map keys by their encoding', () => {
    const keys = ['aa', 'z', 'é', '', -25, -1, 300, 24, 0, 0x1_0000_0000, -0x1_0000_0001]
    const map = new Map(keys.map((key) => [key, 0]))
    expect(encoded(map)).toBe(
      'ab00001818001901' +
        '2c001b000000010000000000' +
        '20003818003b000000010000000000' +
        '6000617a0062616100' +
        '62c3a900',
    )
  })

  it('gives memory that later encodings do not touch', () => {
    const first = encodeCbor('first')
    for (let i = 0; i < 1000; i++) encodeCbor('other')
    expect(toHex(first)).toBe('656669727374')
    expect(first.buffer.byteLength).toBe(first.length)
  })

  it.each<[string, unknown]>([
    ['a fraction', 1.5],
    ['NaN', Number.NaN],
    ['a number above 2^53 - 1', 2 ** 53],
    ['2^64', 1n << 64n],
    ['-2^64', -(1n << 64n)],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a plain object', { a: 1 }],
    ['a Date', new Date(0)],
    ['a bigint as key', new Map([[1n, 1]])],
    ['a fraction as key', new Map([[0.5, 1]])],
    ['half a surrogate pair', 'a\ud800'],
    ['text with a byte order mark', '\ufefftext'],
    ['a tag that the wire does not use', new CborTag(27, [])],
  ])('refuses %s', (_what, value) => {
    expect(() => encodeCbor(value as CborValue)).toThrow(KeepsealError)
  })
})

describe('decodeCbor', () => {
  it('gives numbers where they are exact and bigints beyond', () => {
    expect(decodeCbor(fromHex('1b001fffffffffffff'))).toBe(Number.MAX_SAFE_INTEGER)
    expect(decodeCbor(fromHex('1b0020000000000000'))).toBe(1n << 53n)
    expect(decodeCbor(fromHex('3b001ffffffffffffe'))).toBe(Number.MIN_SAFE_INTEGER)
    expect(decodeCbor(fromHex('3b001fffffffffffff'))).toBe(-(1n << 53n))
  })

  it('gives keys above 2^32 as numbers', () => {
    expect(decodeCbor(fromHex('a11b000000010000000000'))).toEqual(new Map([[0x1_0000_0000, 0]]))
  })

  it('takes __proto__ for a key like any other', () => {
    const map = decodeCbor(encodeCbor(new Map([['__proto__', new Map([['polluted', true]])]]))) as Map<
      string,
      CborValue
    >
    expect([...map.keys()]).toEqual(['__proto__'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('gives byte strings as plain Uint8Array views and leaves its input as it was', () => {
    const input = Buffer.from('820142aabb', 'hex')
    const bytes = (decodeCbor(input) as CborValue[])[1] as Uint8Array
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
    expect(bytes.buffer).toBe(input.buffer)
    expect(Object.keys(input)).not.toContain('dataView')
  })

  it('decodes correctly after a refused message', () => {
    expect(outcomeOf(() => decodeCbor(fromHex('82190100')))).toBe('cbor.truncated')
    expect(decodeCbor(fromHex('820102'))).toEqual([1, 2])
  })

  it('gives back any value of the wire exactly', () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        expect(decodeCbor(encodeCbor(value))).toStrictEqual(value)
      }),
      { numRuns: 300 },
    )
  })

  it('gives back texts of every length exactly, Latin or not', () => {
    for (const character of ['a', 'é', '水', '𐅑', '\0', '\ufeff']) {
      for (let length = 1; length < 140; length++) {
        const text = `.${character.repeat(length)}`
        expect(decodeCbor(encodeCbor(text))).toBe(text)
      }
    }
  })

  it('accepts bytes only if it would write the same', () => {
    const mutated = fc.tuple(cborValue, fc.nat(), fc.nat({ max: 255 })).map(([value, position, byte]) => {
      const bytes = encodeCbor(value)
      bytes[position % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(mutated, cborLikeBytes), (bytes) => {
        let value: CborValue | undefined
        const code = outcomeOf(() => {
          value = decodeCbor(bytes)
        })
        if (code === undefined && value !== undefined) expect(encoded(value)).toBe(toHex(bytes))
      }),
      { numRuns: 1000 },
    )
  })
})

interface AppendixVector {
  readonly hex: string
  readonly roundtrip: boolean
  readonly decoded?: unknown
}

/** What JSON cannot say: integers above 2^53, keys that are integers, byte strings. */
const NOT_IN_JSON: Readonly<Record<string, CborValue>> = {
  '1bffffffffffffffff': (1n << 64n) - 1n,
  a201020304: new Map([
    [1, 2],
    [3, 4],
  ]),
  '40': new Uint8Array(0),
  '4401020304': Uint8Array.of(1, 2, 3, 4),
}

function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item)]))
}

/** Major type 7 beyond false, true and null; tags other than COSE's; the one integer outside of ./value.ts. */
const isOutside = (hex: string) => /^(f[^456]|[cd])/.test(hex) || hex === '3bffffffffffffffff'

fixturesDescribe('cbor', 'RFC 8949 appendix A', () => {
  for (const vector of readJsonFixture('cbor', 'appendix_a.json') as AppendixVector[]) {
    const bytes = fromHex(vector.hex)
    if (isOutside(vector.hex)) {
      it(`${vector.hex} is not a type of the wire`, () => {
        expect(outcomeOf(() => decodeCbor(bytes))).toBe('cbor.unsupported-type')
      })
    } else if (!vector.roundtrip) {
      it(`${vector.hex} has no definite length`, () => {
        expect(outcomeOf(() => decodeCbor(bytes))).toBe('cbor.indefinite-length')
      })
    } else {
      it(`${vector.hex} is read and written`, () => {
        const value = decodeCbor(bytes)
        expect(value).toStrictEqual(NOT_IN_JSON[vector.hex] ?? fromJson(vector.decoded))
        expect(encoded(value)).toBe(vector.hex)
      })
    }
  }
})
