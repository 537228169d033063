import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { imaSigner } from '../../../../collector/trust/ima/signer.ts'
import type { ImaDigest } from '../../../../shared/ima/types.ts'

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString()
const digestOf = (algorithm: string, content: Uint8Array): ImaDigest => ({
  kind: 'content',
  algorithm,
  value: new Uint8Array(createHash(algorithm).update(content).digest()),
})
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const content = Buffer.from('a program')

describe.each([
  ['RSA', rsa(2048)],
  ['P-256', ec('prime256v1')],
  ['P-384', ec('secp384r1')],
] as const)('a signer with a key of %s', (_, { publicKey, privateKey }) => {
  const signer = imaSigner('00c0ffee', pem(publicKey))

  test.each(['sha224', 'sha256', 'sha384', 'sha512'])('is told by a signature over a digest of %s', (algorithm) => {
    const digest = digestOf(algorithm, content)
    const signature = sign(algorithm, content, privateKey)
    expect(signer?.verify(digest, signature)).toBe(true)
    expect(signer?.verify(digestOf(algorithm, Buffer.from('another')), signature)).toBe(false)
    expect(signer?.verify({ ...digest, kind: 'verity' }, signature)).toBe(false)
    const flipped = Uint8Array.from(digest.value)
    flipped[0] = (flipped[0] ?? 0) ^ 0x80
    expect(signer?.verify({ ...digest, value: flipped }, signature)).toBe(false)
  })

  test('is not told by SHA-1, nor by a digest that has another size than its algorithm', () => {
    expect(signer?.verify(digestOf('sha1', content), sign('sha1', content, privateKey))).toBe(false)
    const digest = digestOf('sha256', content)
    expect(signer?.verify({ ...digest, algorithm: 'sha384' }, sign('sha256', content, privateKey))).toBe(false)
  })

  test('is not told by any signature with a flipped bit, nor by other bytes', () => {
    const digest = digestOf('sha256', content)
    const signature = sign('sha256', content, privateKey)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: signature.length * 8 - 1 }), (bit) => {
        const bad = Uint8Array.from(signature)
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(signer?.verify(digest, bad)).toBe(false)
      }),
      { numRuns: 40 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bad) => {
        expect(signer?.verify(digest, bad)).toBe(false)
      }),
      { numRuns: 40 },
    )
  })
})

test('ECDSA verifies what node:crypto signs, for any content', () => {
  for (const [curve, hash] of [
    ['prime256v1', 'sha256'],
    ['secp384r1', 'sha384'],
  ] as const) {
    const { publicKey, privateKey } = ec(curve)
    const signer = imaSigner('00000000', pem(publicKey))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(signer?.verify(digestOf(hash, bytes), sign(hash, bytes, privateKey))).toBe(true)
      }),
      { numRuns: 30 },
    )
  }
})

test.each([
  ['RSA of 1024 bits', pem(rsa(1024).publicKey)],
  ['another curve', pem(ec('secp256k1').publicKey)],
  ['Ed25519', pem(generateKeyPairSync('ed25519').publicKey)],
  ['no key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
])('a key of %s makes no signer', (_, key) => {
  expect(imaSigner('00c0ffee', key)).toBeUndefined()
})
