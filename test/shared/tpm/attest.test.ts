import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { encodeAttest, type QuoteFields } from '../../support/tpm-quote.ts'

const fields: QuoteFields = {
  magic: 0xff544347,
  type: 0x8018,
  qualifiedSigner: fromHex(`000b${'11'.repeat(32)}`),
  extraData: fromHex('0011'),
  safe: 1,
  selection: [{ bank: 'sha256', pcrs: [0, 7], bitmapSize: 3 }],
  pcrDigest: new Uint8Array(32).fill(9),
}
const attest = (change: Partial<QuoteFields> = {}) => encodeAttest({ ...fields, ...change })

describe('TPMS_ATTEST of a quote', () => {
  test('is read', () => {
    const { qualifiedSigner, extraData, selection, pcrDigest } = fields
    expect(parseQuoteAttest(attest())).toEqual({
      qualifiedSigner,
      extraData,
      clockInfo: { clock: 123_456n, resetCount: 2, restartCount: 1, safe: true },
      firmwareVersion: 0x2019_1023_0016_3636n,
      selection,
      pcrDigest,
    })
    expect(parseQuoteAttest(attest({ safe: 0 })).clockInfo.safe).toBe(false)
  })

  test.each([
    ['another magic', { magic: 0xff544346 }, 'quote.magic'],
    ['another magic and another type', { magic: 0, type: 0x8017 }, 'quote.magic'],
    ['a certification', { type: 0x8017 }, 'quote.type'],
    ['a creation', { type: 0x801a }, 'quote.type'],
    ['safe that is neither yes nor no', { safe: 2 }, 'tpm.malformed'],
    ['a qualified name too long', { qualifiedSigner: new Uint8Array(67) }, 'tpm.malformed'],
    ['qualifying data too long', { extraData: new Uint8Array(67) }, 'tpm.malformed'],
    ['a digest too long', { pcrDigest: new Uint8Array(65) }, 'tpm.malformed'],
  ] as const)('refuses %s', (_, change, code) => {
    expect(outcomeOf(() => parseQuoteAttest(attest(change)))).toBe(code)
  })

  test('refuses every shorter and a longer form', () => {
    const whole = attest()
    for (let length = 0; length < whole.length; length++) {
      expect(
        outcomeOf(() => parseQuoteAttest(whole.subarray(0, length))),
        `${length} bytes`,
      ).toBe('tpm.malformed')
    }
    expect(outcomeOf(() => parseQuoteAttest(concat(whole, new Uint8Array(1))))).toBe('tpm.malformed')
  })

  test('any damage is either read or refused', () => {
    const edits = fc.array(fc.tuple(fc.nat(attest().length - 1), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(edits, fc.uint8Array({ maxLength: 4 }), (list, tail) => {
        const bytes = concat(attest(), tail)
        for (const [offset, byte] of list) bytes[offset] = byte
        outcomeOf(() => parseQuoteAttest(bytes))
      }),
      { numRuns: 1000 },
    )
  })

  test('does not share the name of its bytes with a longer buffer', () => {
    const padded = concat(new Uint8Array(5), attest(), new Uint8Array(5))
    expect(toHex(parseQuoteAttest(padded.subarray(5, -5)).pcrDigest)).toBe(toHex(fields.pcrDigest))
  })
})
