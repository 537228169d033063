import { createDecipheriv, createECDH, generateKeyPairSync, privateDecrypt, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { concat, equal, fromBase64Url, fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { ByteReader } from '../../../shared/bytes/reader.ts'
import { HASH_SIZE, type CredentialPrimitives } from '../../../shared/crypto/crypto.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import { hash, hmac, random } from '../../../shared/crypto/node.ts'
import { assertEndorsementKey, kdfa, kdfe, makeCredential } from '../../../shared/tpm/credential.ts'
import { parsePublic, type PublicArea } from '../../../shared/tpm/public.ts'
import { attestationKeyTemplate, ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'

const AK_NAME = fromHex(`000b${'42'.repeat(32)}`)
const SECRET = fromHex('00112233445566778899aabbccddeeff')

function part(key: KeyObject, name: 'x' | 'y' | 'n' | 'd'): Uint8Array {
  return fromBase64Url(key.export({ format: 'jwk' })[name] ?? '')
}

/** An endorsement key of the profile in software: its public area, and TPM2_ActivateCredential with its private half. */
function softwareEk(template: PublicArea) {
  const pair =
    template.type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: template.keyBits })
      : generateKeyPairSync('ec', { namedCurve: template.curve === 'p256' ? 'P-256' : 'P-384' })
  const { publicKey, privateKey } = pair
  const area: PublicArea =
    template.type === 'rsa'
      ? { ...template, unique: part(publicKey, 'n') }
      : { ...template, unique: { x: part(publicKey, 'x'), y: part(publicKey, 'y') } }
  const { nameAlg } = area
  const size = HASH_SIZE[nameAlg]

  function seedOf(encrypted: Uint8Array): Uint8Array {
    if (area.type === 'rsa') {
      return privateDecrypt({ key: privateKey, oaepHash: nameAlg, oaepLabel: Buffer.from('IDENTITY\0') }, encrypted)
    }
    const reader = new ByteReader(encrypted)
    const [x, y] = [reader.sized16(), reader.sized16()]
    reader.end()
    const ecdh = createECDH(area.curve === 'p256' ? 'prime256v1' : 'secp384r1')
    ecdh.setPrivateKey(part(privateKey, 'd'))
    const z = ecdh.computeSecret(concat(Uint8Array.of(4), x, y))
    return kdfe(hash, nameAlg, z, 'IDENTITY', x, area.unique.x, size)
  }

  function activate(blob: Uint8Array, encryptedSecret: Uint8Array, akName: Uint8Array): Uint8Array | null {
    const outer = new ByteReader(blob)
    const reader = new ByteReader(outer.sized16())
    outer.end()
    const integrity = reader.sized16()
    const identity = reader.bytes(reader.remaining)
    const seed = seedOf(new ByteReader(encryptedSecret).sized16())
    const none = new Uint8Array(0)
    const macKey = kdfa(hmac, nameAlg, seed, 'INTEGRITY', none, none, size)
    if (!equal(integrity, hmac(nameAlg, macKey, concat(identity, akName)))) return null
    const bits = area.symmetric?.keyBits ?? 0
    const key = kdfa(hmac, nameAlg, seed, 'STORAGE', akName, none, bits / 8)
    const decipher = createDecipheriv(`aes-${bits}-cfb`, key, new Uint8Array(16))
    return new ByteReader(concat(decipher.update(identity), decipher.final())).sized16()
  }
  return { area, activate }
}

/** Making an RSA key takes as long as chance will have it. */
const KEY_GENERATION_TIMEOUT = 30_000

const request = { akName: AK_NAME, secret: SECRET, primitives: credentialPrimitives, random }

describe('MakeCredential', () => {
  test.each(ENDORSEMENT_KEY_PROFILES.map(({ id, template }) => [id, template] as const))(
    '%s: the secret comes out for the named key, and for no other',
    (_, template) => {
      const { area, activate } = softwareEk(template)
      const { credentialBlob, encryptedSecret } = makeCredential({ ...request, ek: area })
      expect(activate(credentialBlob, encryptedSecret, AK_NAME)).toEqual(SECRET)
      expect(activate(credentialBlob, encryptedSecret, AK_NAME.with(33, 0))).toBeNull()
    },
    KEY_GENERATION_TIMEOUT,
  )

  test('two credentials for the same secret have nothing in common', () => {
    const { area } = softwareEk(ENDORSEMENT_KEY_PROFILES[1]?.template ?? attestationKeyTemplate('ecdsa-p256', AK_NAME))
    const [one, two] = [makeCredential({ ...request, ek: area }), makeCredential({ ...request, ek: area })]
    expect(one.credentialBlob).not.toEqual(two.credentialBlob)
    expect(one.encryptedSecret).not.toEqual(two.encryptedSecret)
  })

  test('a secret of another length than the key takes is a mistake of ours', () => {
    const { area } = softwareEk(ENDORSEMENT_KEY_PROFILES[1]?.template ?? attestationKeyTemplate('ecdsa-p256', AK_NAME))
    for (const length of [0, 33]) {
      expect(() => makeCredential({ ...request, ek: area, secret: new Uint8Array(length) })).toThrow(RangeError)
    }
  })

  test('what is no name is refused', () => {
    const { area } = softwareEk(ENDORSEMENT_KEY_PROFILES[1]?.template ?? attestationKeyTemplate('ecdsa-p256', AK_NAME))
    expect(outcomeOf(() => makeCredential({ ...request, ek: area, akName: AK_NAME.subarray(1) }))).toBe('tpm.malformed')
  })
})

describe('endorsement key', () => {
  const [rsa, ecc] = ENDORSEMENT_KEY_PROFILES.slice(0, 2).map(({ template }) => softwareEk(template).area)
  if (rsa?.type !== 'rsa' || ecc?.type !== 'ecc') throw new Error('not the kinds that were asked for')
  const refusal = (ek: PublicArea) => outcomeOf(() => makeCredential({ ...request, ek }))

  test.each(['restricted', 'decrypt', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const)(
    'is refused without %s',
    (name) => {
      const attributes = new Set([...ecc.attributes].filter((attribute) => attribute !== name))
      expect(refusal({ ...ecc, attributes })).toBe('tpm.key-attributes')
    },
  )

  test.each([
    ['a signing key', attestationKeyTemplate('ecdsa-p256', new Uint8Array(32)), 'tpm.key-attributes'],
    [
      'one that can sign as well',
      { ...ecc, attributes: new Set([...ecc.attributes, 'sign' as const]) },
      'tpm.key-attributes',
    ],
    ['no cipher', { ...ecc, symmetric: null }, 'tpm.key-attributes'],
    ['a SHA-1 name', { ...ecc, nameAlg: 'sha1' as const }, 'tpm.algorithm-refused'],
    ['1024 bits', { ...rsa, keyBits: 1024, unique: rsa.unique.subarray(128) }, 'tpm.algorithm-refused'],
    ['exponent 1, which encrypts nothing', { ...rsa, exponent: 1 }, 'tpm.key-invalid'],
    ['a modulus shorter than declared', { ...rsa, unique: rsa.unique.subarray(8) }, 'tpm.key-invalid'],
    ['a point off the curve', { ...ecc, unique: { ...ecc.unique, y: ecc.unique.x } }, 'tpm.key-invalid'],
    [
      'the template instead of a key',
      { ...ecc, unique: { x: new Uint8Array(32), y: new Uint8Array(32) } },
      'tpm.key-invalid',
    ],
  ] as const)('is refused: %s', (_, area, code) => {
    expect(refusal(area)).toBe(code)
  })

  test('of the profile passes', () => {
    for (const { template } of ENDORSEMENT_KEY_PROFILES) {
      expect(outcomeOf(() => assertEndorsementKey(template))).toBeUndefined()
    }
  })
})

interface CredentialVector {
  readonly kind: 'rsa' | 'ecc-p256'
  readonly ekPublicTpm2b: string
  readonly secret: string
  readonly akName: string
  readonly expectedFirst80Bytes?: string
  readonly expected?: string
  readonly ephemeralPrivate?: string
}

fixturesDescribe('quotes', 'MakeCredential vectors with fixed randomness', () => {
  // Read inside of the test: the body of a skipped block runs all the same.
  test.each(['rsa', 'ecc-p256'] as const)('%s', (kind) => {
    const { makeCredential: vectors } = readJsonFixture('quotes', 'keylime-rsassa.json') as {
      makeCredential: readonly CredentialVector[]
    }
    const vector = vectors.find((candidate) => candidate.kind === kind)
    if (vector === undefined) throw new Error(`no vector of kind ${kind}`)
    const primitives: CredentialPrimitives = {
      ...credentialPrimitives,
      ecdhEphemeral(_curve, x, y) {
        const ecdh = createECDH('prime256v1')
        ecdh.setPrivateKey(
          BigInt(vector.ephemeralPrivate ?? '0')
            .toString(16)
            .padStart(64, '0'),
          'hex',
        )
        const point = ecdh.getPublicKey()
        const z = ecdh.computeSecret(concat(Uint8Array.of(4), x, y))
        return { x: point.subarray(1, 33), y: point.subarray(33), z }
      },
    }
    const { credentialBlob, encryptedSecret } = makeCredential({
      ek: parsePublic(fromHex(vector.ekPublicTpm2b)),
      akName: fromHex(vector.akName),
      secret: fromHex(vector.secret),
      primitives,
      random: (length) => new Uint8Array(length).fill(0x12),
    })
    // The file format of tpm2-tools: a mark, a version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET.
    const file = concat(fromHex('badcc0de00000001'), credentialBlob, encryptedSecret)
    if (vector.expected === undefined) expect(toHex(file.subarray(0, 80))).toBe(vector.expectedFirst80Bytes)
    else expect(toHex(file)).toBe(vector.expected)
  })
})
