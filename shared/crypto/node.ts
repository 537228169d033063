/**
 * node:crypto behind the seam of ./crypto.ts. The one file of shared/ that a browser never loads: it exists so that
 * the agent and the collector, which never import each other, do not each carry a copy.
 */
import {
  constants,
  createHmac,
  createPublicKey,
  hash as hashAtOnce,
  randomBytes,
  timingSafeEqual,
  verify as nodeVerify,
  type KeyObject,
} from 'node:crypto'
import { toBase64Url } from '../bytes/bytes.ts'
import { OutcomeError } from '../errors.ts'
import { isAcceptableEd25519Key } from './ed25519.ts'
import type {
  EqualFunction,
  HashFunction,
  HmacFunction,
  RandomFunction,
  SignatureScheme,
  VerificationKey,
} from './crypto.ts'

/** The digest comes as text, one character a byte: as a Buffer it would cost more than the hash of a short message. */
export const hash: HashFunction = (algorithm, data) => {
  const text = hashAtOnce(algorithm, data, 'binary')
  const digest = new Uint8Array(text.length)
  for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i)
  return digest
}

export const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data)

export const hmac: HmacFunction = (algorithm, key, data) => createHmac(algorithm, key).update(data).digest()

export const equalConstantTime: EqualFunction = (a, b) => a.length === b.length && timingSafeEqual(a, b)

export const random: RandomFunction = (length) => randomBytes(length)

function importKey(jwk: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new OutcomeError('tpm.key-invalid', cause instanceof Error ? cause.message : undefined)
  }
}

function verifier(scheme: SignatureScheme, digest: string | null, key: KeyObject, options: object): VerificationKey {
  const input = { key, ...options }
  return {
    scheme,
    verify: (message, signature) => {
      try {
        return nodeVerify(digest, message, input, signature)
      } catch {
        // OpenSSL raises for some malformed signatures instead of answering false: both mean "not valid".
        return false
      }
    },
  }
}

/**
 * `x`: the 32-byte public key. Throws OutcomeError `cose.key-malformed` for one that is not acceptable.
 * OpenSSL verifies without the cofactor. @noble verifies with it, also under `zip215: false`, and so accepts a few
 * more signatures: only the holder of the key can make them, and this side refuses them.
 */
export function ed25519Key(x: Uint8Array): VerificationKey {
  if (!isAcceptableEd25519Key(x)) throw new OutcomeError('cose.key-malformed', 'not an Ed25519 public key')
  return verifier('ed25519', null, importKey({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(x) }), {})
}

/** `x`, `y`: coordinates at full field width. A point off the curve is refused at import. */
export function ecdsaKey(
  curve: 'p256' | 'p384',
  digest: 'sha256' | 'sha384',
  x: Uint8Array,
  y: Uint8Array,
): VerificationKey {
  const crv = curve === 'p256' ? 'P-256' : 'P-384'
  const key = importKey({ kty: 'EC', crv, x: toBase64Url(x), y: toBase64Url(y) })
  return verifier(`ecdsa-${curve}-${digest}`, digest, key, { dsaEncoding: 'ieee-p1363' })
}

/** `n`: modulus, big-endian. `e`: public exponent. PSS takes any salt length, as TPMs choose it. */
export function rsaKey(
  padding: 'rsassa' | 'rsapss',
  digest: 'sha256' | 'sha384',
  n: Uint8Array,
  e: number,
): VerificationKey {
  const exponent = Uint8Array.from([e >>> 24, (e >>> 16) & 255, (e >>> 8) & 255, e & 255])
  const firstByte = exponent.findIndex((byte) => byte !== 0)
  const key = importKey({ kty: 'RSA', n: toBase64Url(n), e: toBase64Url(exponent.subarray(Math.max(firstByte, 0))) })
  const options =
    padding === 'rsassa'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
  return verifier(`${padding}-${digest}`, digest, key, options)
}
