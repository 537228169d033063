import { wholeElement, DerError, DerReader, TAG } from './der.ts'
import { magnitudeOf, objectIdentifierOf, octetsOfBitString, smallIntegerOf } from './der-values.ts'

/** The key in a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), of the kinds that are met here. */
export type SubjectPublicKey =
  /** `modulus` without leading zeros. */
  | { readonly type: 'rsa'; readonly modulus: Uint8Array; readonly exponent: number }
  /** Coordinates at full width. */
  | { readonly type: 'ec'; readonly curve: 'p256' | 'p384'; readonly x: Uint8Array; readonly y: Uint8Array }
  | { readonly type: 'ed25519'; readonly key: Uint8Array }

/** RFC 8017 appendix A.1, RFC 5480 section 2.1.1, RFC 8410 section 3. */
const OID = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  /** Some TPM vendors mark the key of an EK certificate this way; OpenSSL cannot read it. */
  rsaesOaep: '1.2.840.113549.1.1.7',
  ecPublicKey: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
} as const

const CURVES: ReadonlyMap<string, { readonly curve: 'p256' | 'p384'; readonly width: number }> = new Map([
  ['1.2.840.10045.3.1.7', { curve: 'p256', width: 32 }],
  ['1.3.132.0.34', { curve: 'p384', width: 48 }],
])

function rsaKey(key: Uint8Array): SubjectPublicKey {
  const fields = wholeElement(key, TAG.sequence)
  const modulus = magnitudeOf(fields.expect(TAG.integer))
  const exponent = smallIntegerOf(fields.expect(TAG.integer))
  fields.end()
  return { type: 'rsa', modulus, exponent }
}

/** Uncompressed point of SEC 1 section 2.3.3. Whether it is on the curve is for the library that computes with it. */
function ecKey(parameters: DerReader, key: Uint8Array): SubjectPublicKey {
  const curve = CURVES.get(objectIdentifierOf(parameters.expect(TAG.objectIdentifier)))
  parameters.end()
  if (curve === undefined) throw new DerError('curve other than P-256 and P-384')
  if (key.length !== 1 + 2 * curve.width || key[0] !== 4) throw new DerError('not an uncompressed point')
  return { type: 'ec', curve: curve.curve, x: key.subarray(1, 1 + curve.width), y: key.subarray(1 + curve.width) }
}

/** `bytes`: a whole SubjectPublicKeyInfo. Throws DerError, also for other kinds of key. */
export function parseSubjectPublicKey(bytes: Uint8Array): SubjectPublicKey {
  const fields = wholeElement(bytes, TAG.sequence)
  const algorithm = fields.enter(TAG.sequence)
  const key = octetsOfBitString(fields.expect(TAG.bitString))
  fields.end()
  const kind = objectIdentifierOf(algorithm.expect(TAG.objectIdentifier))
  if (kind === OID.rsaEncryption || kind === OID.rsaesOaep) return rsaKey(key)
  if (kind === OID.ecPublicKey) return ecKey(algorithm, key)
  algorithm.end()
  if (kind !== OID.ed25519 || key.length !== 32)
    throw new DerError('key of another kind than RSA, P-256, P-384 and Ed25519')
  return { type: 'ed25519', key }
}
