import type { PublicKeyImporter, VerificationKey } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { rsaExponent, type PublicArea, type RsaPublicArea } from './public.ts'
import { atCurveWidth } from './signature.ts'

const MINIMUM_RSA_BITS = 2048
const MINIMUM_RSA_EXPONENT = 65537

/** Throws `tpm.algorithm-refused` for a short key and `tpm.key-invalid` for a modulus or exponent that is none. */
export function assertRsaKey(area: RsaPublicArea): void {
  if (area.keyBits < MINIMUM_RSA_BITS) throw new OutcomeError('tpm.algorithm-refused', `RSA of ${area.keyBits} bits`)
  const first = area.unique[0]
  const last = area.unique.at(-1)
  // The length that the key declares must be the length that it has: a leading zero would be a shorter key.
  if (area.unique.length * 8 !== area.keyBits || first === undefined || first < 0x80) {
    throw new OutcomeError('tpm.key-invalid', 'the modulus does not have the declared length')
  }
  if (last === undefined || (last & 1) === 0) throw new OutcomeError('tpm.key-invalid', 'even modulus')
  const exponent = rsaExponent(area)
  if (exponent < MINIMUM_RSA_EXPONENT || exponent % 2 === 0) {
    throw new OutcomeError('tpm.key-invalid', `public exponent ${exponent}`)
  }
}

/**
 * Imports a signing key. Throws `tpm.algorithm-refused` where its scheme is absent or its hash not allowed, and
 * `tpm.key-invalid` where the numbers are no key (a point off the curve, say).
 */
export function verificationKeyOf(area: PublicArea, importer: PublicKeyImporter): VerificationKey {
  const { scheme } = area
  if (scheme === null) throw new OutcomeError('tpm.algorithm-refused', 'a key without a signature scheme')
  const { hash } = scheme
  if (hash !== 'sha256' && hash !== 'sha384') throw new OutcomeError('tpm.algorithm-refused', `signature hash ${hash}`)
  if (area.type === 'ecc') {
    const { x, y } = area.unique
    return importer.ecdsaKey(area.curve, hash, atCurveWidth(x, area.curve), atCurveWidth(y, area.curve))
  }
  assertRsaKey(area)
  if (scheme.scheme === 'ecdsa') throw new OutcomeError('tpm.algorithm-refused', 'an RSA key with scheme ecdsa')
  return importer.rsaKey(scheme.scheme, hash, area.unique, rsaExponent(area))
}
