import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { contextTag, DerError, TAG, wholeElement } from './der.ts'
import { objectIdentifierOf } from './der-values.ts'
import type { X509 } from './x509.ts'

interface SignatureScheme {
  readonly digest: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly keyType: 'rsa' | 'ec'
  readonly pss: boolean
}

const scheme = (keyType: 'rsa' | 'ec', digest: SignatureScheme['digest']): SignatureScheme => ({
  digest,
  keyType,
  pss: false,
})

/** RFC 8017 appendix A.2.4 and RFC 5758 section 3.2. MD5 and older are not even known here. */
const SCHEMES: ReadonlyMap<string, SignatureScheme> = new Map([
  ['1.2.840.113549.1.1.5', scheme('rsa', 'sha1')],
  ['1.2.840.113549.1.1.11', scheme('rsa', 'sha256')],
  ['1.2.840.113549.1.1.12', scheme('rsa', 'sha384')],
  ['1.2.840.113549.1.1.13', scheme('rsa', 'sha512')],
  ['1.2.840.10045.4.1', scheme('ec', 'sha1')],
  ['1.2.840.10045.4.3.2', scheme('ec', 'sha256')],
  ['1.2.840.10045.4.3.3', scheme('ec', 'sha384')],
  ['1.2.840.10045.4.3.4', scheme('ec', 'sha512')],
])

const RSASSA_PSS = '1.2.840.113549.1.1.10'
const HASHES: ReadonlyMap<string, SignatureScheme['digest']> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

function schemeOf({ signatureAlgorithm }: X509): SignatureScheme | undefined {
  const fields = wholeElement(signatureAlgorithm.bytes, TAG.sequence)
  const id = objectIdentifierOf(fields.expect(TAG.objectIdentifier))
  if (id !== RSASSA_PSS) return SCHEMES.get(id)
  // RSASSA-PSS-params, RFC 8017 appendix A.2.3: without [0] the hash is SHA-1. The mask's hash must be the same one,
  // which is what the verification below assumes.
  const parameters = fields.enter(TAG.sequence)
  if (parameters.nextTag !== contextTag(0)) return { digest: 'sha1', keyType: 'rsa', pss: true }
  const hash = parameters.enter(contextTag(0)).enter(TAG.sequence).expect(TAG.objectIdentifier)
  const digest = HASHES.get(objectIdentifierOf(hash))
  return digest === undefined ? undefined : { digest, keyType: 'rsa', pss: true }
}

/** What is wrong with a public key as a signer of certificates; undefined when it will do. */
function weakness(key: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') return (modulusLength ?? 0) >= 2048 ? undefined : 'an RSA key below 2048 bits'
  const curves = ['prime256v1', 'secp384r1', 'secp521r1']
  if (key.asymmetricKeyType !== 'ec' || !curves.includes(namedCurve ?? '')) return 'a key of a kind that is not allowed'
  return undefined
}

function importKey({ publicKeyInfo }: X509): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' })
  } catch {
    throw new DerError('the key of an authority cannot be read')
  }
}

function verifies(certificate: X509, { digest, pss }: SignatureScheme, key: KeyObject): boolean {
  const padding = pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : undefined
  try {
    return verify(digest, certificate.signedPart, { key, ...padding }, certificate.signature)
  } catch {
    return false
  }
}

/**
 * What speaks against `certificate` being signed by `issuer`: a reason for people, or undefined when the signature
 * stands. Throws DerError for what cannot be read.
 */
export function signatureObjection(certificate: X509, issuer: X509): string | undefined {
  const scheme = schemeOf(certificate)
  if (scheme === undefined || scheme.digest === 'sha1') return 'signed with an algorithm that is not allowed'
  const key = importKey(issuer)
  const weak = weakness(key)
  if (weak !== undefined) return `the issuer has ${weak}`
  if (scheme.keyType !== key.asymmetricKeyType || !verifies(certificate, scheme, key))
    return 'the signature does not verify'
  return undefined
}

/**
 * Whether a certificate is signed by the key that it certifies, as roots are. SHA-1 will do here: the signature on a
 * root proves nothing (RFC 5280 section 6.1), it only tells a root from an intermediate.
 */
export function isSelfSigned(certificate: X509): boolean {
  if (Buffer.compare(certificate.subject, certificate.issuer) !== 0) return false
  const scheme = schemeOf(certificate)
  return scheme !== undefined && verifies(certificate, scheme, importKey(certificate))
}
