import * as fc from 'fast-check'
import { expect, test, describe } from 'vitest'
import { concat, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { attributesOf, attributesValue } from '../../../shared/tpm/attributes.ts'
import {
  encodePublic,
  encodePublicArea,
  nameOf,
  parsePublic,
  parsePublicArea,
  rsaExponent,
  type PublicArea,
} from '../../../shared/tpm/public.ts'
import { attestationKeyTemplate, ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { fixturesDescribe, readFixture, readJsonFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { vmAttestationArea } from '../../support/vm-sb.ts'

const ecc = attestationKeyTemplate('ecdsa-p256', new Uint8Array(32).fill(0xaa))
const rsa = attestationKeyTemplate('rsassa-2048', new Uint8Array(32).fill(0xaa))
const samples: readonly PublicArea[] = [ecc, rsa, ...ENDORSEMENT_KEY_PROFILES.map(({ template }) => template)]

/** The bytes of an area with some of them replaced. */
function patched(area: PublicArea, offset: number, hex: string): Uint8Array {
  const bytes = encodePublicArea(area)
  bytes.set(fromHex(hex), offset)
  return bytes
}

describe('TPMT_PUBLIC', () => {
  test.each(samples.map((area, index) => [index, area] as const))('sample %i is read back', (_, area) => {
    expect(parsePublicArea(encodePublicArea(area))).toEqual(area)
    expect(parsePublic(encodePublic(area))).toEqual(area)
  })

  test('damaged bytes are read whole or refused, and never read as something else', () => {
    const damage = fc.record({
      sample: fc.constantFrom(...samples),
      edits: fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }),
      cut: fc.nat(4),
    })
    fc.assert(
      fc.property(damage, ({ sample, edits, cut }) => {
        const bytes = encodePublicArea(sample)
        for (const [offset, byte] of edits) bytes[offset] = byte
        const cutBytes = bytes.subarray(0, bytes.length - cut)
        const code = outcomeOf(() => expect(encodePublicArea(parsePublicArea(cutBytes))).toEqual(cutBytes))
        expect([undefined, 'tpm.malformed', 'tpm.algorithm-refused']).toContain(code)
      }),
      { numRuns: 1000 },
    )
  })

  test('any bytes are refused, not crashed on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const parse of [parsePublic, parsePublicArea]) {
          expect(['tpm.malformed', 'tpm.algorithm-refused']).toContain(outcomeOf(() => parse(bytes)))
        }
      }),
    )
  })

  // Offsets: type 0, nameAlg 2, attributes 4, policy size 8, symmetric 10, scheme 12, curve 16, kdf 18, x size 20.
  test.each([
    ['an HMAC key', 0, '0008', 'tpm.algorithm-refused'],
    ['an unknown nameAlg', 2, '0010', 'tpm.algorithm-refused'],
    ['a reserved attribute', 4, '80050472', 'tpm.malformed'],
    ['a policy that is no digest', 8, '0001', 'tpm.malformed'],
    ['another cipher than AES', 10, '0013', 'tpm.algorithm-refused'],
    ['an RSA scheme on a curve', 12, '0014', 'tpm.algorithm-refused'],
    ['an anonymous scheme', 12, '001a', 'tpm.algorithm-refused'],
    ['an unknown curve', 16, '0010', 'tpm.algorithm-refused'],
    ['a key derivation scheme', 18, '0020', 'tpm.algorithm-refused'],
    ['a coordinate wider than the curve', 20, '0022', 'tpm.malformed'],
    ['a coordinate that goes on beyond the end', 20, 'ffff', 'tpm.malformed'],
  ] as const)('refuses %s', (_, offset, hex, code) => {
    expect(outcomeOf(() => parsePublicArea(patched(ecc, offset, hex)))).toBe(code)
  })

  test('refuses AES modes and key sizes that no endorsement key has', () => {
    const low = ENDORSEMENT_KEY_PROFILES[0]?.template ?? ecc
    expect(outcomeOf(() => parsePublicArea(patched(low, 44, '0040')))).toBe('tpm.malformed')
    expect(outcomeOf(() => parsePublicArea(patched(low, 46, '0042')))).toBe('tpm.algorithm-refused')
  })

  test('refuses numbers wider than the key, whichever they are', () => {
    if (ecc.type !== 'ecc' || rsa.type !== 'rsa') throw new Error('not the kinds that were asked for')
    const wideY = { ...ecc, unique: { ...ecc.unique, y: new Uint8Array(33) } }
    const wideModulus = { ...rsa, unique: new Uint8Array(257) }
    for (const area of [wideY, wideModulus]) {
      expect(outcomeOf(() => parsePublicArea(encodePublicArea(area)))).toBe('tpm.malformed')
    }
  })

  test('a TPM2B with bytes behind its content is refused', () => {
    expect(outcomeOf(() => parsePublic(concat(encodePublic(ecc), new Uint8Array(1))))).toBe('tpm.malformed')
  })

  test('exponent zero means 65537 and stays zero in the name', () => {
    const explicit: PublicArea = { ...rsa, type: 'rsa', keyBits: 2048, exponent: 65537, unique: new Uint8Array(256) }
    const implied: PublicArea = { ...explicit, exponent: 0 }
    expect([rsaExponent(explicit), rsaExponent(implied)]).toEqual([65537, 65537])
    expect(nameOf(explicit, hash)).not.toEqual(nameOf(implied, hash))
  })
})

describe('object attributes', () => {
  test('read and written by name', () => {
    expect([...attributesOf(0x50472)]).toEqual([
      'fixedTPM',
      'fixedParent',
      'sensitiveDataOrigin',
      'userWithAuth',
      'noDA',
      'restricted',
      'sign',
    ])
    expect(attributesValue(attributesOf(0x000300b2))).toBe(0x000300b2)
  })

  test('every reserved bit is refused', () => {
    const named = 0x000f0ff6
    for (let bit = 0; bit < 32; bit++) {
      const value = (1 << bit) >>> 0
      const expected = (named & value) === 0 ? 'tpm.malformed' : undefined
      expect(
        outcomeOf(() => attributesOf(value)),
        `bit ${bit}`,
      ).toBe(expected)
    }
  })
})

fixturesDescribe('vm-sb', 'a real TPM public area', () => {
  test('the name of the attestation key is the one that the TPM gave', () => {
    expect(toHex(nameOf(vmAttestationArea(), hash))).toBe(readFixture('vm-sb', 'ak.name').toString('hex'))
  })

  test('the RSA endorsement key is template L-1 with a modulus', () => {
    const bytes = Uint8Array.from(readFixture('vm-sb', 'ek.pub'))
    const area = parsePublic(bytes)
    expect(encodePublic(area)).toEqual(bytes)
    expect({ ...area, unique: new Uint8Array(256) }).toEqual(ENDORSEMENT_KEY_PROFILES[0]?.template)
  })
})

fixturesDescribe('quotes', 'a public area from Windows', () => {
  test('encodes to the same bytes', () => {
    const { AK } = readJsonFixture('quotes', 'windows_gcp_shielded_vm.json') as { AK: { Public: string } }
    const bytes = Uint8Array.from(Buffer.from(AK.Public, 'base64'))
    expect(encodePublicArea(parsePublicArea(bytes))).toEqual(bytes)
  })
})
