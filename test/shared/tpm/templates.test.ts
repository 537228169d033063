import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import { HASH_SIZE } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { assertAttestationKey } from '../../../shared/tpm/attestation-key.ts'
import { hashId } from '../../../shared/tpm/constants.ts'
import { endorsementPolicyOf, ENDORSEMENT_POLICIES } from '../../../shared/tpm/ek-policy.ts'
import { encodePublicArea, parsePublicArea } from '../../../shared/tpm/public.ts'
import { attestationKeyTemplate, ENDORSEMENT_KEY_PROFILES, withNonce } from '../../../shared/tpm/templates.ts'
import { outcomeOf } from '../../support/outcome.ts'

const hexOf = (id: string) => {
  const profile = ENDORSEMENT_KEY_PROFILES.find((candidate) => candidate.id === id)
  if (profile === undefined) throw new Error(id)
  return toHex(encodePublicArea(profile.template))
}
const A256 = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa'
const B256 = 'ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0'
const B384 = 'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12'

describe('endorsement key templates', () => {
  // Each line is one field of the profile's tables: type, nameAlg, attributes, policy, cipher, scheme, key, unique.
  test.each([
    ['L-1', '0001 000b 000300b2 0020', A256, '0006 0080 0043 0010 0800 00000000 0100', '00'.repeat(256)],
    [
      'L-2',
      '0023 000b 000300b2 0020',
      A256,
      '0006 0080 0043 0010 0003 0010 0020',
      `${'00'.repeat(32)}0020${'00'.repeat(32)}`,
    ],
    ['H-1', '0001 000b 000300f2 0020', B256, '0006 0080 0043 0010 0800 00000000 0000', ''],
    ['H-2', '0023 000b 000300f2 0020', B256, '0006 0080 0043 0010 0003 0010 0000', '0000'],
    ['H-3', '0023 000c 000300f2 0030', B384, '0006 0100 0043 0010 0004 0010 0000', '0000'],
    ['H-6', '0001 000c 000300f2 0030', B384, '0006 0100 0043 0010 0c00 00000000 0000', ''],
  ])('%s is the profile’s, byte for byte', (id, ...fields) => {
    expect(hexOf(id)).toBe(fields.join('').replaceAll(' ', ''))
  })

  test('no NV index is used twice', () => {
    const indices = ENDORSEMENT_KEY_PROFILES.flatMap((profile) => [
      profile.certificateIndex,
      profile.templateIndex,
      ...(profile.nonceIndex === null ? [] : [profile.nonceIndex]),
    ])
    expect(new Set(indices).size).toBe(indices.length)
  })

  test('a nonce goes to the front of unique, zeros behind it', () => {
    for (const { template } of ENDORSEMENT_KEY_PROFILES.slice(0, 2)) {
      const { unique } = withNonce(template, fromHex('0102'))
      const [first, width] = unique instanceof Uint8Array ? [unique, 256] : [unique.x, 32]
      expect(toHex(first)).toBe(`0102${'00'.repeat(width - 2)}`)
      if (!(unique instanceof Uint8Array)) expect(unique.y).toEqual(new Uint8Array(32))
      expect(() => withNonce(template, new Uint8Array(width + 1))).toThrow(RangeError)
    }
  })
})

describe('endorsement key policies', () => {
  // From the commands that a TPM would run, Part 3 sections 23.4, 23.6 and 23.22: digest' = H(digest || code || name).
  test.each([
    ['sha256', 0x01c07f01],
    ['sha384', 0x01c07f02],
  ] as const)('%s digests follow from the commands', (algorithm, index) => {
    const size = HASH_SIZE[algorithm]
    const digest = (...parts: Uint8Array[]) => hash(algorithm, concat(...parts))
    const start = new Uint8Array(size)
    const policyA = digest(digest(start, fromHex('00000151'), fromHex('4000000b')))
    const nvPublic = new ByteWriter()
      .u32(index)
      .u16(hashId(algorithm))
      .u32(0x220f1008)
      .sized16(policyA)
      .u16(2 + size)
      .finish()
    const nvName = concat(new ByteWriter().u16(hashId(algorithm)).finish(), digest(nvPublic))
    const policyC = digest(start, fromHex('00000192'), nvName)
    const policyB = digest(start, fromHex('00000171'), policyA, policyC)
    const expected = [policyA, policyB, policyC].map(toHex)
    const actual = ENDORSEMENT_POLICIES[algorithm]
    expect([actual.policyA, actual.policyB, actual.policyC].map(toHex)).toEqual(expected)
  })

  test('a template tells how to satisfy its policy', () => {
    const kinds = ENDORSEMENT_KEY_PROFILES.map(({ id, template }) => {
      const policy = endorsementPolicyOf(template.authPolicy)
      return [id, policy?.sessionHash, policy?.branches.length]
    })
    expect(kinds).toEqual([
      ['L-1', 'sha256', 0],
      ['L-2', 'sha256', 0],
      ['H-1', 'sha256', 2],
      ['H-2', 'sha256', 2],
      ['H-3', 'sha384', 2],
      ['H-6', 'sha384', 2],
    ])
    expect(endorsementPolicyOf(new Uint8Array(32))).toBeUndefined()
  })
})

describe('attestation key template', () => {
  const seed = fromHex('5e'.repeat(32))

  test('P-256: fixed byte for byte but for the seed', () => {
    expect(toHex(encodePublicArea(attestationKeyTemplate('ecdsa-p256', seed)))).toBe(
      `0023000b00050472000000100018000b000300100020${'5e'.repeat(32)}0020${'00'.repeat(32)}`,
    )
  })

  test('RSA: fixed byte for byte but for the seed', () => {
    expect(toHex(encodePublicArea(attestationKeyTemplate('rsassa-2048', seed)))).toBe(
      `0001000b00050472000000100014000b0800000000000100${'5e'.repeat(32)}${'00'.repeat(224)}`,
    )
  })

  test.each(['ecdsa-p256', 'rsassa-2048'] as const)('%s passes the check of attestation keys', (kind) => {
    const area = parsePublicArea(encodePublicArea(attestationKeyTemplate(kind, seed)))
    expect(outcomeOf(() => assertAttestationKey(area))).toBeUndefined()
    expect(area.attributes.has('noDA')).toBe(true)
  })

  test('another length of seed is a mistake of ours', () => {
    expect(() => attestationKeyTemplate('ecdsa-p256', new Uint8Array(31))).toThrow(RangeError)
  })
})
