import { constants, createPublicKey, publicDecrypt, type KeyObject } from 'node:crypto'
import { concat, equal, fromBase64Url, fromHex, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import type { ImaSigner } from '../../../shared/ima/policy.ts'
import type { ImaDigest } from '../../../shared/ima/types.ts'
import { DerError, TAG, wholeElement } from '../der.ts'
import { magnitudeOf } from '../der-values.ts'
import { bigint, verifyDigest, type EcdsaCurve } from './ecdsa-digest.ts'

/** DigestInfo up to the digest itself, by hash: RFC 8017, section 9.2, note 1. */
const DIGEST_INFO: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries({
    sha224: '302d300d06096086480165030402040500041c',
    sha256: '3031300d060960864801650304020105000420',
    sha384: '3041300d060960864801650304020205000430',
    sha512: '3051300d060960864801650304020305000440',
  }).map(([name, hex]) => [name, fromHex(hex)]),
)
const MIN_RSA_BITS = 2048
const CURVES: Readonly<Record<string, EcdsaCurve>> = { prime256v1: 'P-256', secp384r1: 'P-384' }

type Verify = ImaSigner['verify']

/**
 * Somebody who signs files as evmctl does, version 2 of the format: RSASSA-PKCS1-v1_5 or ECDSA over the digest of the
 * file. Undefined for a key that is none, or none that is strong enough. SHA-1 digests are signed by nobody.
 */
export function imaSigner(keyId: string, publicKeyPem: string): ImaSigner | undefined {
  let key: KeyObject
  try {
    key = createPublicKey(publicKeyPem)
  } catch {
    return undefined
  }
  const verify = key.asymmetricKeyType === 'rsa' ? rsaVerifier(key) : ecdsaVerifier(key)
  return verify === undefined
    ? undefined
    : { keyId, verify: remembering((digest, signature) => isFit(digest) && verify(digest, signature)) }
}

const MAX_REMEMBERED = 50_000

/** A fleet runs the same signed files: each is checked once, and not once for each device and boot. */
function remembering(verify: Verify): Verify {
  const known = new Map<string, boolean>()
  return (digest, signature) => {
    const name = toHex(
      sha256(concat(utf8(`${digest.kind} ${digest.algorithm} ${digest.value.length} `), digest.value, signature)),
    )
    const held = known.get(name)
    if (held !== undefined) return held
    const valid = verify(digest, signature)
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(name, valid)
    return valid
  }
}

const isFit = ({ kind, algorithm, value }: ImaDigest): boolean =>
  kind === 'content' && DIGEST_INFO.get(algorithm)?.at(-1) === value.length

function rsaVerifier(key: KeyObject): Verify | undefined {
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return undefined
  return ({ algorithm, value }, signature) => {
    const prefix = DIGEST_INFO.get(algorithm)
    if (prefix === undefined) return false
    try {
      const content = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature)
      return equal(content, concat(prefix, value))
    } catch {
      return false // not a signature of this key at all
    }
  }
}

function ecdsaVerifier(key: KeyObject): Verify | undefined {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (key.asymmetricKeyType !== 'ec' || curve === undefined) return undefined
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = { x: bigint(fromBase64Url(x)), y: bigint(fromBase64Url(y)) }
  return ({ value }, signature) => {
    try {
      const reader = wholeElement(signature, TAG.sequence)
      const r = bigint(magnitudeOf(reader.next()))
      const s = bigint(magnitudeOf(reader.next()))
      reader.end()
      return verifyDigest(curve, point, value, { r, s })
    } catch (error) {
      if (error instanceof DerError) return false
      throw error
    }
  }
}
