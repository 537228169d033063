import { generateKeyPairSync, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { readRegistration } from '../../../shared/webauthn/assertion.ts'
import { rawFromDer } from '../../../shared/webauthn/der-signature.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { SoftwareAuthenticator } from '../../support/software-authenticator.ts'

describe('a signature in DER', () => {
  test('reads as r and s at full width, as node:crypto writes them', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' }) as { x?: string; y?: string }
    const key = nodeCrypto.ecdsaKey('p256', 'sha256', Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url'))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
        const raw = rawFromDer(Uint8Array.from(sign('sha256', message, privateKey)))
        expect(raw).toHaveLength(64)
        expect(key.verify(message, raw as Uint8Array)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('has one encoding', () => {
    expect(rawFromDer(fromHex('3006020101020102'))).toHaveLength(64)
    const others = [
      '',
      '30',
      '3006020101020102ff', // more behind it
      '3007020101020102', // cut
      '300702020001020102', // a zero in front that is not needed
      '3006020181020102', // negative
      '30050200020102', // empty
      '308106020101020102', // a long form of the length
      '3106020101020102', // a set
      `302602 2100${'01'.repeat(32)}0201 02`.replaceAll(' ', ''), // needless zero at full width
      `302602 21${'01'.repeat(33)}0201 02`.replaceAll(' ', ''), // wider than the curve
    ]
    for (const der of others) expect([der, rawFromDer(fromHex(der))]).toEqual([der, undefined])
  })

  test('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void rawFromDer(bytes)))
  })
})

describe.each(['P-256', 'Ed25519'] as const)('the registration of a passkey on %s', (curve) => {
  const challenge = nodeCrypto.sha256(Uint8Array.of(1))

  test('gives its key', () => {
    const passkey = new SoftwareAuthenticator(curve)
    const expected = { relyingParty: passkey.relyingParty, challenge }
    const found = readRegistration(passkey.create(challenge), expected, nodeCrypto)
    expect(found).toMatchObject({ key: passkey.key, signCount: 1 })
    expect(found.id).toHaveLength(16)
  })

  test('that is cut anywhere, or not for this challenge, page and person, is refused', () => {
    const passkey = new SoftwareAuthenticator(curve)
    const expected = { relyingParty: passkey.relyingParty, challenge }
    const good = passkey.create(challenge)
    const read = (registration: typeof good) => codeOf(() => readRegistration(registration, expected, nodeCrypto))
    for (let length = 0; length < good.authenticatorData.length; length++) {
      const authenticatorData = good.authenticatorData.subarray(0, length)
      expect(read({ ...good, authenticatorData })).toBe('auth.assertion-invalid')
    }
    const authenticatorData = concat(good.authenticatorData, Uint8Array.of(0))
    for (const wrong of [
      { ...good, authenticatorData },
      passkey.create(nodeCrypto.sha256(Uint8Array.of(2))),
      passkey.create(challenge, { flags: 0x41 }),
      passkey.create(challenge, { rpId: 'evil.example' }),
      passkey.create(challenge, { clientData: { type: 'webauthn.get' } }),
      passkey.get(challenge),
    ]) {
      expect(read(wrong)).toBe('auth.assertion-invalid')
    }
  })
})
