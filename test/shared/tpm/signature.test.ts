import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { encodeSignature, parseSignature, signatureBytes } from '../../../shared/tpm/signature.ts'
import { attestationKeyTemplate } from '../../../shared/tpm/templates.ts'
import { outcomeOf } from '../../support/outcome.ts'

const parse = (hex: string) => parseSignature(fromHex(hex))
const ecc = attestationKeyTemplate('ecdsa-p256', new Uint8Array(32))
const rsa = attestationKeyTemplate('rsassa-2048', new Uint8Array(32))

describe('TPMT_SIGNATURE', () => {
  test('is read for the three schemes', () => {
    expect(parse('0014000b0002abcd')).toEqual({ scheme: 'rsassa', hash: 'sha256', signature: fromHex('abcd') })
    expect(parse('0016000c0002abcd')).toEqual({ scheme: 'rsapss', hash: 'sha384', signature: fromHex('abcd') })
    expect(parse('0018000b000101000202ff')).toEqual({
      scheme: 'ecdsa',
      hash: 'sha256',
      r: fromHex('01'),
      s: fromHex('02ff'),
    })
  })

  test.each([
    ['nothing', '', 'tpm.malformed'],
    ['an end in the signature', '0014000b0003abcd', 'tpm.malformed'],
    ['a trailing byte', '0014000b0002abcdef', 'tpm.malformed'],
    ['an empty signature', '0014000b0000', 'tpm.malformed'],
    ['an empty s', '0018000b0001010000', 'tpm.malformed'],
    ['no s', '0018000b000101', 'tpm.malformed'],
    ['an r wider than any curve', `0018000b0031${'11'.repeat(49)}000101`, 'tpm.malformed'],
    ['an RSA signature beyond 4096 bits', `0014000b0201${'11'.repeat(513)}`, 'tpm.malformed'],
    ['an HMAC', '0005000b0002abcd', 'tpm.algorithm-refused'],
    ['no scheme', '0010', 'tpm.algorithm-refused'],
    ['ECDAA', '001a000b000101000101', 'tpm.algorithm-refused'],
    ['an unknown hash', '001400120002abcd', 'tpm.algorithm-refused'],
  ])('refuses %s', (_, hex, code) => {
    expect(outcomeOf(() => parse(hex))).toBe(code)
  })

  test('any bytes are read whole or refused', () => {
    const bytes = fc.tuple(fc.constantFrom('0014000b', '0016000c', '0018000b', ''), fc.uint8Array({ maxLength: 20 }))
    fc.assert(
      fc.property(bytes, ([head, tail]) => {
        const input = fromHex(head + toHex(tail))
        const code = outcomeOf(() => expect(encodeSignature(parseSignature(input))).toEqual(input))
        expect([undefined, 'tpm.malformed', 'tpm.algorithm-refused']).toContain(code)
      }),
    )
  })
})

describe('signature bytes', () => {
  test('r and s are padded to the width of the curve', () => {
    const bytes = signatureBytes(parse('0018000b000101000202ff'), ecc)
    expect(toHex(bytes)).toBe(`${'01'.padStart(64, '0')}${'02ff'.padStart(64, '0')}`)
  })

  test('r or s wider than the curve is refused', () => {
    const wide = parse(`0018000b0021${'11'.repeat(33)}000101`)
    expect(outcomeOf(() => signatureBytes(wide, ecc))).toBe('tpm.malformed')
  })

  test('an RSA signature stays as it is', () => {
    expect(toHex(signatureBytes(parse('0014000b0002abcd'), rsa))).toBe('abcd')
  })
})
