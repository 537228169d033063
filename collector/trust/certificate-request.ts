import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { DerError, TAG, wholeElement } from './der.ts'
import { objectIdentifierOf, octetsOfBitString } from './der-values.ts'
import { parseSubjectPublicKey, type SubjectPublicKey } from './subject-public-key.ts'

declare const proven: unique symbol

/** A key whose holder has signed the request: all that a certificate request is used for. */
export interface RequestedKey {
  readonly [proven]: true
  /** SubjectPublicKeyInfo, DER, and its SHA-256. */
  readonly publicKeyInfo: Uint8Array
  readonly hash: Uint8Array
}

/** Signature algorithms by object identifier: the kind of key, and the digest for node:crypto. */
const ALGORITHMS: ReadonlyMap<string, { readonly type: SubjectPublicKey['type']; readonly digest: string | null }> =
  new Map([
    ['1.2.840.10045.4.3.2', { type: 'ec', digest: 'sha256' }],
    ['1.2.840.113549.1.1.11', { type: 'rsa', digest: 'sha256' }],
    ['1.2.840.113549.1.1.12', { type: 'rsa', digest: 'sha384' }],
    ['1.2.840.113549.1.1.13', { type: 'rsa', digest: 'sha512' }],
    ['1.3.101.112', { type: 'ed25519', digest: null }],
  ])

const refused = (reason: string): KeepsealError => new KeepsealError('request.invalid', `tlsRequest: ${reason}`)

/** P-256, Ed25519, or RSA of 2048 bits and more. */
function objection(key: SubjectPublicKey, imported: KeyObject): string | undefined {
  if (key.type === 'ec' && key.curve !== 'p256') return 'curve other than P-256'
  const bits = imported.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.type === 'rsa' && (bits < 2048 || bits > 8192)) return 'RSA key below 2048 or above 8192 bits'
  if (key.type === 'rsa' && (key.exponent < 65537 || key.exponent % 2 === 0)) return 'RSA exponent'
  return undefined
}

function check(signed: Uint8Array, key: KeyObject, digest: string | null, signature: Uint8Array): boolean {
  try {
    return verify(digest, signed, key, signature)
  } catch {
    return false
  }
}

/**
 * Verifies a PKCS #10 request (RFC 2986 section 4), DER, with the key in it. Its subject and its attributes are not
 * even read: what a certificate says is for the collector to decide.
 * Throws KeepsealError `request.invalid`.
 */
export function verifyCertificateRequest(der: Uint8Array): RequestedKey {
  try {
    const request = wholeElement(der, TAG.sequence)
    const info = request.expect(TAG.sequence)
    const algorithm = request.enter(TAG.sequence)
    const signature = octetsOfBitString(request.expect(TAG.bitString))
    request.end()

    const fields = wholeElement(info.bytes, TAG.sequence)
    fields.expect(TAG.integer)
    fields.expect(TAG.sequence)
    const publicKeyInfo = fields.expect(TAG.sequence).bytes
    const key = parseSubjectPublicKey(publicKeyInfo)
    const scheme = ALGORITHMS.get(objectIdentifierOf(algorithm.expect(TAG.objectIdentifier)))
    if (scheme === undefined || scheme.type !== key.type) throw refused('signature algorithm')

    const imported = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' })
    const reason = objection(key, imported)
    if (reason !== undefined) throw refused(reason)
    if (!check(info.bytes, imported, scheme.digest, signature)) throw refused('its signature does not verify')
    return { publicKeyInfo: Uint8Array.from(publicKeyInfo), hash: sha256(publicKeyInfo) } as RequestedKey
  } catch (error) {
    if (error instanceof KeepsealError) throw error
    // What is left is a structure or a key that cannot be read, by this software or by OpenSSL.
    throw refused(error instanceof DerError ? error.message : 'the key cannot be read')
  }
}
