import { createPrivateKey, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromHex, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import * as node from '../../../shared/crypto/node.ts'
import {
  assertAttestationKey,
  attestationKeyOf,
  qualifiedName,
  qualifiedNameOfPrimary,
} from '../../../shared/tpm/attestation-key.ts'
import type { ObjectAttribute } from '../../../shared/tpm/attributes.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import { TPM_RH_ENDORSEMENT, TPM_RH_OWNER } from '../../../shared/tpm/constants.ts'
import { verificationKeyOf } from '../../../shared/tpm/key.ts'
import {
  nameOf,
  parsePublic,
  type EccPublicArea,
  type PublicArea,
  type RsaPublicArea,
} from '../../../shared/tpm/public.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { SoftwareSigner } from '../../support/tpm-quote.ts'
import { vmAttestationArea } from '../../support/vm-sb.ts'

const NAME = fromHex(`000b${'11'.repeat(32)}`)
const ecc = new SoftwareSigner('ecdsa').area as EccPublicArea
const rsa = new SoftwareSigner('rsassa').area as RsaPublicArea

const refusal = (area: PublicArea) => outcomeOf(() => attestationKeyOf(area, NAME, node))
const without = (name: ObjectAttribute): PublicArea => ({
  ...ecc,
  attributes: new Set([...ecc.attributes].filter((attribute) => attribute !== name)),
})
const having = (name: ObjectAttribute): PublicArea => ({ ...ecc, attributes: new Set([...ecc.attributes, name]) })

describe('attestation key', () => {
  test.each(['restricted', 'sign', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const)(
    'is refused without %s',
    (name) => {
      expect(outcomeOf(() => assertAttestationKey(without(name)))).toBe('tpm.key-attributes')
      expect(refusal(without(name))).toBe('tpm.key-attributes')
    },
  )

  test.each(['decrypt', 'stClear', 'encryptedDuplication', 'x509sign'] as const)('is refused with %s', (name) => {
    expect(refusal(having(name))).toBe('tpm.key-attributes')
  })

  const cases: readonly [string, PublicArea, string][] = [
    ['a storage key', { ...ecc, symmetric: { keyBits: 128 } }, 'tpm.key-attributes'],
    ['a SHA-1 name', { ...ecc, nameAlg: 'sha1' }, 'tpm.algorithm-refused'],
    ['no scheme', { ...ecc, scheme: null }, 'tpm.algorithm-refused'],
    ['SHA-1 signatures', { ...rsa, scheme: { scheme: 'rsassa', hash: 'sha1' } }, 'tpm.algorithm-refused'],
    ['SHA-512 signatures', { ...rsa, scheme: { scheme: 'rsassa', hash: 'sha512' } }, 'tpm.algorithm-refused'],
    ['an RSA key of 1024 bits', { ...rsa, keyBits: 1024, unique: rsa.unique.subarray(128) }, 'tpm.algorithm-refused'],
    ['a modulus shorter than declared', { ...rsa, unique: rsa.unique.subarray(1) }, 'tpm.key-invalid'],
    ['a modulus with a leading zero', { ...rsa, unique: rsa.unique.with(0, 0) }, 'tpm.key-invalid'],
    ['an even modulus', { ...rsa, unique: rsa.unique.with(255, 2) }, 'tpm.key-invalid'],
    ['no modulus', { ...rsa, unique: new Uint8Array(0) }, 'tpm.key-invalid'],
    ['exponent 1', { ...rsa, exponent: 1 }, 'tpm.key-invalid'],
    ['exponent 3', { ...rsa, exponent: 3 }, 'tpm.key-invalid'],
    ['an even exponent', { ...rsa, exponent: 65538 }, 'tpm.key-invalid'],
    ['a point off the curve', { ...ecc, unique: { ...ecc.unique, y: ecc.unique.x } }, 'tpm.key-invalid'],
    ['no point', { ...ecc, unique: { x: new Uint8Array(0), y: new Uint8Array(0) } }, 'tpm.key-invalid'],
    ['a coordinate too wide', { ...ecc, unique: { ...ecc.unique, x: new Uint8Array(33) } }, 'tpm.malformed'],
  ]
  test.each(cases)('is refused with %s', (_, area, code) => {
    expect(refusal(area)).toBe(code)
  })

  test('a coordinate without its leading zero is the same key', () => {
    // The point of the private key 379: its x coordinate begins with a zero byte, which some TPMs leave out.
    const x = fromHex('005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a')
    const y = fromHex('bb4c85a3d8ea29efaafa24406912dd84d5b14dc32bf656ef6c6bd58a5d943f92')
    const d = toBase64Url(fromHex('017b'.padStart(64, '0')))
    const jwk = { kty: 'EC', crv: 'P-256', x: toBase64Url(x), y: toBase64Url(y), d }
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    const signature = sign('sha256', NAME, { key, dsaEncoding: 'ieee-p1363' })
    for (const form of [x, x.subarray(1)]) {
      expect(verificationKeyOf({ ...ecc, unique: { x: form, y } }, node).verify(NAME, signature)).toBe(true)
    }
  })

  test('the key verifies under the scheme of its area', () => {
    expect(verificationKeyOf(ecc, node).scheme).toBe('ecdsa-p256-sha256')
    expect(verificationKeyOf(rsa, node).scheme).toBe('rsassa-sha256')
    expect(verificationKeyOf({ ...rsa, scheme: { scheme: 'rsapss', hash: 'sha384' } }, node).scheme).toBe(
      'rsapss-sha384',
    )
  })
})

describe('qualified name', () => {
  test('depends on the hierarchy and on the key', () => {
    const name = nameOf(ecc, node.hash)
    const names = [
      qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, name, node.hash),
      qualifiedNameOfPrimary(TPM_RH_OWNER, name, node.hash),
      qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, NAME, node.hash),
    ].map(toHex)
    expect(new Set(names).size).toBe(3)
    for (const text of names) expect(text).toMatch(/^000b[0-9a-f]{64}$/)
  })

  // A primary key of swtpm in the endorsement hierarchy: its name, and what its quote gives as the signer.
  test('is what a TPM writes into its quotes', () => {
    const name = fromHex('000b0e625216d1e41c1b287e6a514652f17e225a23173ffacec7f8fefde8faeddc25')
    expect(toHex(qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, name, node.hash))).toBe(
      '000bfb5669e3decd9eba26cac45b6d12abf273c227de0b5e70939cb91a2e3a328559',
    )
  })

  test.each([
    '',
    '00',
    '000b',
    `000b${'11'.repeat(31)}`,
    `000b${'11'.repeat(33)}`,
    `0010${'11'.repeat(32)}`,
    '40000001',
  ])('of %j, which is no name, is refused', (hex) => {
    expect(outcomeOf(() => qualifiedName(NAME, fromHex(hex), node.hash))).toBe('tpm.malformed')
    expect(outcomeOf(() => attestationKeyOf(ecc, fromHex(hex), node))).toBe('tpm.malformed')
  })
})

fixturesDescribe('vm-sb', 'qualified name of a real attestation key', () => {
  test('of a child of the endorsement key is the signer of its quote', () => {
    const ekName = nameOf(parsePublic(readFixture('vm-sb', 'ek.pub')), node.hash)
    const parent = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, ekName, node.hash)
    const name = nameOf(vmAttestationArea(), node.hash)
    const { qualifiedSigner } = parseQuoteAttest(readFixture('vm-sb', 'quote.msg'))
    expect(toHex(qualifiedName(parent, name, node.hash))).toBe(toHex(qualifiedSigner))
  })
})
