import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  IdevidObjection,
  idevidObjectionAt,
  isSignedBy,
  readIdevid,
  type ShownIdevid,
} from '../../../collector/trust/idevid.ts'
import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { commonName, name } from '../../support/der-writer.ts'
import { idevidCertificate, idevidSubject, softwareIdevid } from '../../support/software-idevid.ts'
import {
  basicConstraints,
  DIGITAL_SIGNATURE,
  extension,
  KEY_CERT_SIGN,
  KEY_ENCIPHERMENT,
  TEST_NOW,
  testKey,
  YEAR_MS,
} from '../../support/test-certificates.ts'

const { publicKeyInfo } = testKey()
const certified = (changes: Parameters<typeof idevidCertificate>[1] = {}) => idevidCertificate(publicKeyInfo, changes)

/** What is said against it; `none` where nothing is. Anything else than an objection fails the test. */
function objectionTo(der: Uint8Array): string {
  try {
    readIdevid(der)
    return 'none'
  } catch (error) {
    if (error instanceof IdevidObjection) return error.message
    throw error
  }
}

describe('the certificate of an IDevID', () => {
  it('says whose unit it is, and may be without an end', () => {
    const der = certified()
    const idevid = readIdevid(der)
    expect(toHex(idevid.fingerprint)).toBe(toHex(sha256(der)))
    expect(idevid.serial).toBe('0001')
    expect(new Date(idevid.certificate.notAfter).toISOString()).toBe('9999-12-31T23:59:59.000Z')
    expect(idevidObjectionAt(idevid, Date.UTC(9999, 11, 31))).toBeUndefined()
  })

  it('has an end where it names one', () => {
    const idevid = readIdevid(certified({ notAfter: TEST_NOW + YEAR_MS }))
    expect(idevidObjectionAt(idevid, TEST_NOW)).toBeUndefined()
    expect(idevidObjectionAt(idevid, TEST_NOW + 2 * YEAR_MS)).toContain('expired')
    expect(idevidObjectionAt(idevid, TEST_NOW - 2 * YEAR_MS)).toContain('not valid before')
  })

  it('may be without a serial number and without extensions', () => {
    expect(readIdevid(certified({ subject: commonName('Gateway'), extensions: [] })).serial).toBeUndefined()
  })

  it.each([
    ['of an authority', certified({ extensions: [basicConstraints(true), KEY_CERT_SIGN, DIGITAL_SIGNATURE] })],
    ['for a key that may not sign', certified({ extensions: [basicConstraints(false), KEY_ENCIPHERMENT] })],
    ['with an unknown critical extension', certified({ extensions: [extension('1.2.3.4', true, name())] })],
    ['with two serial numbers', certified({ subject: name(['2.5.4.5', '0001'], ['2.5.4.5', '0002']) })],
    ['with a serial number that cannot be printed', certified({ subject: idevidSubject('00\u001b[2J') })],
    ['with something behind it', concat(certified(), new Uint8Array(4))],
    ['that is cut off', certified().subarray(0, -1)],
    ['that is none', new Uint8Array(0)],
    ['of a short RSA key', idevidCertificate(spki(generateKeyPairSync('rsa', { modulusLength: 1024 })))],
    ['of an Ed25519 key', idevidCertificate(spki(generateKeyPairSync('ed25519')))],
    ['of a key on another curve', idevidCertificate(spki(generateKeyPairSync('ec', { namedCurve: 'secp521r1' })))],
    ['of a point off the curve', idevidCertificate(offCurve())],
    [
      'of a key with the exponent 3',
      idevidCertificate(spki(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }))),
    ],
  ])('%s is refused', (_, der) => {
    expect(objectionTo(der)).not.toBe('none')
  })

  it('with any change to its bytes is another one or none', () => {
    const der = certified()
    const fingerprint = toHex(readIdevid(der).fingerprint)
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const changed = der.slice()
        changed[place] = (changed[place] ?? 0) ^ change
        if (objectionTo(changed) !== 'none') return
        expect(toHex(readIdevid(changed).fingerprint)).not.toBe(fingerprint)
      }),
      { numRuns: 400 },
    )
  })

  it('is never anything but refused where it is arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(objectionTo(bytes)).not.toBe('none')
      }),
    )
  })
})

describe('a signature by the key of an IDevID', () => {
  const message = random(54)
  const verdict = (idevid: ShownIdevid, over: Uint8Array, signature: Uint8Array): boolean => {
    try {
      return isSignedBy(idevid, over, signature)
    } catch (error) {
      if (error instanceof OutcomeError) return false
      throw error
    }
  }

  it.each(['p256', 'p384', 'rsassa', 'rsapss'] as const)(
    'of kind %s holds for its message, and with no bit changed',
    (kind) => {
      const idevid = softwareIdevid(kind)
      const shown = readIdevid(idevid.certificate)
      const signature = idevid.sign(message)
      expect(verdict(shown, message, signature)).toBe(true)
      expect(verdict(shown, random(54), signature)).toBe(false)
      for (let bit = 0; bit < signature.length * 8; bit++) {
        const changed = signature.slice()
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verdict(shown, message, changed)).toBe(false)
      }
    },
  )

  it('by a key of another kind, and any other bytes, hold for nothing', () => {
    const shown = readIdevid(softwareIdevid().certificate)
    for (const kind of ['p256', 'p384', 'rsassa'] as const) {
      expect(verdict(shown, message, softwareIdevid(kind).sign(message))).toBe(false)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(verdict(shown, message, bytes)).toBe(false)
      }),
    )
  })
})

function spki({ publicKey }: { readonly publicKey: KeyObject }): Uint8Array {
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
}

function offCurve(): Uint8Array {
  const moved = testKey().publicKeyInfo.slice()
  moved[moved.length - 1] = (moved.at(-1) ?? 0) ^ 1
  return moved
}
