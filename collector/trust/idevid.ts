import { concat } from '../../shared/bytes/bytes.ts'
import type { VerificationKey } from '../../shared/crypto/crypto.ts'
import { ecdsaKey, rsaKey, sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { atCurveWidth, parseSignature, type TpmSignature } from '../../shared/tpm/signature.ts'
import { DerError } from './der.ts'
import { parseSubjectPublicKey, type SubjectPublicKey } from './subject-public-key.ts'
import { parseX509, type X509 } from './x509.ts'
import { basicConstraintsOf, EXTENSION, KEY_USAGE, keyUsageOf, subjectSerialNumberOf } from './x509-extensions.ts'
import { outsideValidity, unknownCritical } from './x509-objections.ts'

/**
 * IDevIDs: initial device identifiers by the unit's manufacturer (IEEE 802.1AR-2018), whose key is in the unit's TPM (TCG
 * "TPM 2.0 Keys for Device Identity and Attestation"). No chain is followed: the certificate itself is what was
 * registered, and who registered it vouches for it.
 */

/** A certificate that can be that of an IDevID. Whose it is, and that its key was used, is proven by nothing yet. */
export interface ShownIdevid {
  /** SHA-256 of the certificate. */
  readonly fingerprint: Uint8Array
  readonly certificate: X509
  readonly key: Exclude<SubjectPublicKey, { type: 'ed25519' }>
  /** Of the unit; undefined where the certificate does not say it. */
  readonly serial: string | undefined
}

/** What is wrong with a certificate that is shown as that of an IDevID, for people. */
export class IdevidObjection extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IdevidObjection'
  }
}

const MAX_RSA_BITS = 4096
const MIN_RSA_EXPONENT = 65537

/** P-256, P-384 (section 9 names both) or RSA of 2048 bits and more. */
function usableKey(publicKeyInfo: Uint8Array): ShownIdevid['key'] {
  const key = parseSubjectPublicKey(publicKeyInfo)
  if (key.type === 'ed25519') throw new IdevidObjection('a key that no TPM has')
  if (key.type === 'rsa') {
    const bits = key.modulus.length * 8 - Math.clz32(key.modulus[0] ?? 0) + 24
    if (bits < 2048 || bits > MAX_RSA_BITS) throw new IdevidObjection(`an RSA key of ${bits} bits`)
    if (key.exponent < MIN_RSA_EXPONENT || key.exponent % 2 === 0) throw new IdevidObjection('its public exponent')
  }
  // A point off the curve is found out here, and not by whoever verifies.
  verifier(key, key.type === 'rsa' ? 'rsassa' : 'ecdsa', 'sha256')
  return key
}

const KNOWN: readonly string[] = Object.values(EXTENSION)

/** Reads the certificate as it was shown: without anything behind it. Throws IdevidObjection. */
export function readIdevid(der: Uint8Array): ShownIdevid {
  try {
    const certificate = parseX509(der)
    if (basicConstraintsOf(certificate)?.ca === true) throw new IdevidObjection('it certifies an authority')
    if (keyUsageOf(certificate)?.has(KEY_USAGE.digitalSignature) === false) {
      throw new IdevidObjection('its key usage does not allow signatures')
    }
    const critical = unknownCritical(certificate, KNOWN)
    if (critical !== undefined) throw new IdevidObjection(critical)
    const [key, serial] = [usableKey(certificate.publicKeyInfo), subjectSerialNumberOf(certificate)]
    return { fingerprint: sha256(der), certificate, key, serial }
  } catch (error) {
    if (error instanceof DerError || error instanceof OutcomeError) throw new IdevidObjection(error.message)
    throw error
  }
}

/** What speaks against the certificate at the time `now` (milliseconds). */
export const idevidObjectionAt = ({ certificate }: ShownIdevid, now: number): string | undefined =>
  outsideValidity(certificate, now)

function verifier(
  key: ShownIdevid['key'],
  scheme: TpmSignature['scheme'],
  hash: 'sha256' | 'sha384',
): VerificationKey | undefined {
  if (key.type === 'ec') return scheme === 'ecdsa' ? ecdsaKey(key.curve, hash, key.x, key.y) : undefined
  return scheme === 'ecdsa' ? undefined : rsaKey(scheme, hash, key.modulus, key.exponent)
}

/**
 * Whether the key of the certificate made this TPMT_SIGNATURE over the message. Throws OutcomeError `tpm.*` for bytes
 * that are no signature of a kind that is allowed.
 */
export function isSignedBy({ key }: ShownIdevid, message: Uint8Array, bytes: Uint8Array): boolean {
  const signature = parseSignature(bytes)
  const { scheme, hash } = signature
  if (hash !== 'sha256' && hash !== 'sha384') throw new OutcomeError('tpm.algorithm-refused', `signature hash ${hash}`)
  const verification = verifier(key, scheme, hash)
  if (verification === undefined) throw new OutcomeError('tpm.algorithm-refused', `${scheme} by a key of another kind`)
  if (signature.scheme !== 'ecdsa') return verification.verify(message, signature.signature)
  if (key.type !== 'ec') return false
  const { r, s } = signature
  return verification.verify(message, concat(atCurveWidth(r, key.curve), atCurveWidth(s, key.curve)))
}
