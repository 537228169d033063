import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DerError, DerReader, elements, TAG, wholeElement } from '../../../collector/trust/der.ts'
import {
  booleanOf,
  magnitudeOf,
  namedBitsOf,
  objectIdentifierOf,
  printableTextOf,
  smallIntegerOf,
  timeOf,
} from '../../../collector/trust/der-values.ts'
import { parseX509 } from '../../../collector/trust/x509.ts'
import { fromHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { der, integer, objectIdentifier, sequence } from '../../support/der-writer.ts'
import { authority } from '../../support/test-certificates.ts'

const one = (hex: string) => new DerReader(fromHex(hex)).next()

describe('DER reader', () => {
  it.each([
    ['nothing', ''],
    ['a tag without length', '30'],
    ['indefinite length', '30800000'],
    ['a long form for a short length', '048101ff'],
    ['a leading zero in the length', `04820081${'00'.repeat(0x81)}`],
    ['a length of five octets', '04850000000001ff'],
    ['a length beyond the end', '0403ffff'],
    ['four gigabytes declared', '0484ffffffff00'],
    ['a tag number above 30', '1f810100'],
  ])('refuses %s', (_, hex) => {
    expect(() => one(hex)).toThrow(DerError)
  })

  it('refuses bytes after the element', () => {
    expect(() => wholeElement(fromHex('300000'), TAG.sequence)).toThrow(DerError)
  })

  it('refuses more elements than allowed', () => {
    expect(() => elements(new DerReader(fromHex('050005000500')), 2)).toThrow(DerError)
  })

  it('reads what it should', () => {
    expect(one('0402abcd')).toEqual({ tag: 4, content: fromHex('abcd'), bytes: fromHex('0402abcd') })
    expect(one(`048180${'11'.repeat(128)}`).content).toHaveLength(128)
  })

  it('reads any bytes or throws DerError, and never reads beyond them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const { bytes: whole } = new DerReader(bytes).next()
          expect(whole.length).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(DerError)
        }
      }),
    )
  })
})

describe('DER values', () => {
  it.each([
    ['a boolean that is neither 00 nor ff', () => booleanOf(one('010101'))],
    ['a negative integer', () => magnitudeOf(one('0201ff'))],
    ['an integer with a needless zero', () => magnitudeOf(one('02020001'))],
    ['an empty integer', () => magnitudeOf(one('0200'))],
    ['an integer of 2^31', () => smallIntegerOf(one('02050080000000'))],
    ['an object identifier with a needless octet', () => objectIdentifierOf(one('06032a8001'))],
    ['an object identifier that ends early', () => objectIdentifierOf(one('06022a81'))],
    ['an object identifier without arcs', () => objectIdentifierOf(one('0600'))],
    ['named bits with trailing zeros', () => namedBitsOf(one('03020004'))],
    ['named bits whose unused bits are set', () => namedBitsOf(one('03020207'))],
    ['a text with control characters', () => printableTextOf(one('0c020a41'))],
    ['the 31st of February', () => timeOf({ ...one('0500'), tag: TAG.utcTime, content: utf8('260231000000Z') })],
    ['a time with an offset', () => timeOf({ ...one('0500'), tag: TAG.utcTime, content: utf8('260201000000+0100') })],
  ])('refuses %s', (_, read) => {
    expect(read).toThrow(DerError)
  })

  it('reads both forms of time, and the century of two digits', () => {
    const time = (tag: number, text: string) => timeOf(new DerReader(der(tag, utf8(text))).next())
    expect(time(TAG.utcTime, '491231235959Z')).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(time(TAG.utcTime, '500101000000Z')).toBe(Date.UTC(1950, 0, 1))
    expect(time(TAG.generalizedTime, '99991231235959Z')).toBe(Date.UTC(9999, 11, 31, 23, 59, 59))
  })

  it('reads key usage bits by their numbers', () => {
    expect(namedBitsOf(one('03020520'))).toEqual(new Set([2]))
    expect(namedBitsOf(one('0303070080'))).toEqual(new Set([8]))
    expect(namedBitsOf(one('030100'))).toEqual(new Set())
  })

  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(), { maxLength: 8 }), (number, arcs) => {
        expect(smallIntegerOf(new DerReader(integer(number)).next())).toBe(number)
        const dotted = ['2', '23', ...arcs].join('.')
        expect(objectIdentifierOf(new DerReader(objectIdentifier(dotted)).next())).toBe(dotted)
      }),
    )
  })
})

describe('certificate parser', () => {
  const { der: good } = authority('parser', null)

  it('ends every single-byte change in a certificate or a DerError', () => {
    for (let position = 0; position < good.length; position++) {
      const changed = Uint8Array.from(good)
      changed[position] = (changed[position] ?? 0) ^ 0x01
      try {
        parseX509(changed)
      } catch (error) {
        expect(error).toBeInstanceOf(DerError)
      }
    }
  })

  it('refuses every shorter certificate', () => {
    for (let length = 0; length < good.length; length++) {
      expect(() => parseX509(good.subarray(0, length))).toThrow(DerError)
    }
  })

  it('refuses one larger than 16 KiB before reading it', () => {
    expect(() => parseX509(sequence(new Uint8Array(17_000)))).toThrow(DerError)
  })
})
