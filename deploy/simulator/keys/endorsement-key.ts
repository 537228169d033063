import { createDecipheriv, diffieHellman, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { concat, equal, fromBase64Url, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { ByteReader } from '../../../shared/bytes/reader.ts'
import { hash, hmac } from '../../../shared/crypto/node.ts'
import { kdfa, kdfe, type Credential } from '../../../shared/tpm/credential.ts'
import type { EccPublicArea } from '../../../shared/tpm/public.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'

/**
 * An endorsement key in software: no TPM, no protection, and the same mathematics. No vendor has certified it, so that
 * a collector can take it on first use alone. It lets tests of the collector reach every branch in milliseconds; what
 * a real TPM answers is for the integration tests.
 */
export interface SoftwareEndorsementKey {
  /** P-256 with the TCG template L-2. */
  readonly area: EccPublicArea
  readonly publicKeyInfo: Uint8Array
  /** TPM2_ActivateCredential for an object of that name; undefined when the credential is for another one. */
  activate(credential: Credential, objectName: Uint8Array): Uint8Array | undefined
}

/** By the TCG template L-2. */
export function endorsementArea(unique: EccPublicArea['unique']): EccPublicArea {
  const template = ENDORSEMENT_KEY_PROFILES.find(({ id }) => id === 'L-2')?.template
  if (template?.type !== 'ecc') throw new Error('no template L-2')
  return { ...template, unique }
}

function coordinates(key: KeyObject): { x: Uint8Array; y: Uint8Array } {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return { x: fromBase64Url(x), y: fromBase64Url(y) }
}

/** Of a P-256 key of its own, or of the given one. */
export function softwareEndorsementKey(
  { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
): SoftwareEndorsementKey {
  const own = coordinates(publicKey)

  function activate({ credentialBlob, encryptedSecret }: Credential, objectName: Uint8Array): Uint8Array | undefined {
    const point = new ByteReader(new ByteReader(encryptedSecret).sized16())
    const [x, y] = [point.sized16(), point.sized16()]
    const jwk = { kty: 'EC', crv: 'P-256', x: toBase64Url(x), y: toBase64Url(y) }
    const z = diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) })
    const seed = kdfe(hash, 'sha256', z, 'IDENTITY', x, own.x, 32)

    const blob = new ByteReader(new ByteReader(credentialBlob).sized16())
    const integrity = blob.sized16()
    const identity = blob.bytes(blob.remaining)
    const none = new Uint8Array(0)
    const macKey = kdfa(hmac, 'sha256', seed, 'INTEGRITY', none, none, 32)
    if (!equal(hmac('sha256', macKey, concat(identity, objectName)), integrity)) return undefined
    const cipherKey = kdfa(hmac, 'sha256', seed, 'STORAGE', objectName, none, 16)
    const cipher = createDecipheriv('aes-128-cfb', cipherKey, new Uint8Array(16))
    return new ByteReader(concat(cipher.update(identity), cipher.final())).sized16()
  }

  return {
    area: endorsementArea(own),
    publicKeyInfo: publicKey.export({ format: 'der', type: 'spki' }),
    activate,
  }
}
