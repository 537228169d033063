import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import {
  canonicalSelection,
  encodePcrSelection,
  parsePcrSelection,
  pcrDigest,
  quotedStateDigest,
  selectionEquals,
  selectionIncludes,
  selectionOf,
  type PcrSelection,
} from '../../../shared/tpm/pcr-selection.ts'
import { outcomeOf } from '../../support/outcome.ts'

const parse = (hex: string) => parsePcrSelection(fromHex(hex))

const selections: fc.Arbitrary<PcrSelection> = fc
  .uniqueArray(fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512', 'sm3-256', 'sha3-256'), { maxLength: 6 })
  .chain((banks) =>
    fc.tuple(
      ...banks.map((bank) =>
        fc
          .integer({ min: 1, max: 4 })
          .chain((bitmapSize) =>
            fc
              .uniqueArray(fc.integer({ min: 0, max: bitmapSize * 8 - 1 }))
              .map((pcrs) => ({ bank, pcrs: pcrs.sort((a, b) => a - b), bitmapSize })),
          ),
      ),
    ),
  )

describe('TPML_PCR_SELECTION', () => {
  test('reads PCRs bit by bit from the low end of each byte', () => {
    expect(parse('00000001000b03ff7f00')).toEqual([
      { bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], bitmapSize: 3 },
    ])
    expect(parse('00000001000c03010080')[0]?.pcrs).toEqual([0, 23])
  })

  test('what was encoded is read back, and encodes to the same bytes', () => {
    fc.assert(
      fc.property(selections, (selection) => {
        const bytes = encodePcrSelection(selection)
        expect(parsePcrSelection(bytes)).toEqual(selection)
        expect(encodePcrSelection(parsePcrSelection(bytes))).toEqual(bytes)
      }),
    )
  })

  test('any bytes are read whole or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const code = outcomeOf(() => expect(encodePcrSelection(parsePcrSelection(bytes))).toEqual(bytes))
        expect([undefined, 'tpm.malformed', 'tpm.algorithm-refused']).toContain(code)
      }),
    )
  })

  test.each([
    ['no bitmap', '00000001000b00'],
    ['a bitmap of five bytes', '00000001000b050000000000'],
    ['an end in the bitmap', '00000001000b03ff7f'],
    ['a trailing byte', '00000001000b03ff7f0000'],
    ['more entries than it has', '00000002000b03ff7f00'],
    ['seventeen entries', '00000011'],
    ['four thousand million entries', 'ffffffff'],
    ['the same bank twice', '00000002000b03010000000b03020000'],
    ['nothing', ''],
  ])('refuses %s', (_, hex) => {
    expect(outcomeOf(() => parse(hex))).toBe('tpm.malformed')
  })

  test('refuses a bank that it cannot name', () => {
    expect(outcomeOf(() => parse('00000001ffff03ff7f00'))).toBe('tpm.algorithm-refused')
  })

  test('does not encode a PCR outside of the bitmap', () => {
    for (const pcr of [24, -1, 1.5]) {
      expect(() => encodePcrSelection([{ bank: 'sha256', pcrs: [pcr] }])).toThrow(RangeError)
    }
  })
})

describe('comparing selections', () => {
  test('padding, order of banks and empty banks do not count', () => {
    const a = parse('00000002000b0103000c03010000')
    const b = parse('00000003000c0101000b0403000000000403000000')
    expect(selectionEquals(a, b)).toBe(true)
    expect(canonicalSelection(b)).toEqual([
      { bank: 'sha256', pcrs: [0, 1] },
      { bank: 'sha384', pcrs: [0] },
    ])
  })

  test.each([
    ['another bank', '00000001000c03030000'],
    ['a PCR more', '00000001000b03070000'],
    ['a PCR less', '00000001000b03010000'],
    ['another PCR', '00000001000b03050000'],
    ['a bank more', '00000002000b03030000000403010000'],
    ['nothing', '00000000'],
  ])('%s is different, both ways', (_, hex) => {
    const a = parse('00000001000b03030000')
    expect(selectionEquals(a, parse(hex))).toBe(false)
    expect(selectionEquals(parse(hex), a)).toBe(false)
  })

  test('a required PCR must be selected in its own bank', () => {
    const selection = parse('00000001000b03030000')
    expect(selectionIncludes(selection, [{ bank: 'sha256', pcrs: [0, 1] }])).toBe(true)
    expect(selectionIncludes(selection, [{ bank: 'sha256', pcrs: [0, 2] }])).toBe(false)
    expect(selectionIncludes(selection, [{ bank: 'sha384', pcrs: [0] }])).toBe(false)
  })
})

describe('PCR digest', () => {
  const value = (fill: number, size = 32) => new Uint8Array(size).fill(fill)
  // Written in another order than the digest's on purpose.
  const values = new Map([
    ['sha384' as const, new Map([[3, value(3, 48)]])],
    [
      'sha256' as const,
      new Map([
        [7, value(7)],
        [0, value(0)],
      ]),
    ],
  ])

  test('follows the order of the selection and the hash of the signature', () => {
    const selection = parse('00000002000b03810000000c03080000')
    const expected = hash('sha384', concat(value(0), value(7), value(3, 48)))
    expect(toHex(pcrDigest(hash, 'sha384', values, selection))).toBe(toHex(expected))
    const reversed = hash('sha256', concat(value(3, 48), value(0), value(7)))
    expect(pcrDigest(hash, 'sha256', values, selection.toReversed())).toEqual(reversed)
  })

  test('bytes moved from one PCR to the next are not the same PCRs', () => {
    const moved = new Map([
      [
        'sha256' as const,
        new Map([
          [0, new Uint8Array(31)],
          [1, new Uint8Array(33)],
        ]),
      ],
    ])
    expect(outcomeOf(() => pcrDigest(hash, 'sha256', moved, selectionOf(moved)))).toBe('quote.pcr-digest-mismatch')
  })

  test('a missing value is no empty value', () => {
    const selection = parse('00000001000b03830000')
    expect(outcomeOf(() => pcrDigest(hash, 'sha256', values, selection))).toBe('quote.selection-mismatch')
  })
})

describe('the name of a quoted state', () => {
  const pcrDigest = new Uint8Array(32).fill(7)
  const nameOf = (selection: PcrSelection) => toHex(quotedStateDigest({ selection, pcrDigest }, hash))

  test('tells other PCRs apart whose values have the same digest', () => {
    const low = nameOf([{ bank: 'sha256', pcrs: [0, 1, 2, 3] }])
    expect(nameOf([{ bank: 'sha256', pcrs: [4, 5, 6, 7] }])).not.toBe(low)
    expect(nameOf([{ bank: 'sha384', pcrs: [0, 1, 2, 3] }])).not.toBe(low)
  })

  test('is one for a selection, however it is padded', () => {
    const plain = nameOf([{ bank: 'sha256', pcrs: [0, 1] }])
    expect(nameOf([{ bank: 'sha256', pcrs: [0, 1], bitmapSize: 4 }])).toBe(plain)
  })
})
