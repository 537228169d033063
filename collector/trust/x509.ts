import { contextTag, DerError, elements, TAG, wholeElement, type DerElement, type DerReader } from './der.ts'
import { booleanOf, objectIdentifierOf, octetsOfBitString, smallIntegerOf, timeOf } from './der-values.ts'

/**
 * X.509 version 3 certificates (RFC 5280 section 4.1), read as far as a chain of endorsements needs. One parser for
 * everything that is decided about a certificate: two that read the same bytes differently are a classic hole.
 * Nothing in here is verified.
 */
export interface X509 {
  /** The whole certificate. */
  readonly bytes: Uint8Array
  /** TBSCertificate: what is signed. */
  readonly signedPart: Uint8Array
  /** AlgorithmIdentifier of the signature. */
  readonly signatureAlgorithm: DerElement
  readonly signature: Uint8Array
  /** Names as DER, compared byte by byte. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Uint8Array
  /** By object identifier. */
  readonly extensions: ReadonlyMap<string, X509Extension>
}

export interface X509Extension {
  readonly critical: boolean
  /** DER inside of the extnValue. */
  readonly value: Uint8Array
}

const MAX_CERTIFICATE_SIZE = 16 * 1024
const MAX_EXTENSIONS = 64
const VERSION_3 = 2

function sameBytes(a: DerElement, b: DerElement): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0
}

/** Section 4.1.2.9. The same extension twice is refused: which one counted would be a matter of taste. */
function readExtensions(reader: DerReader): Map<string, X509Extension> {
  const extensions = new Map<string, X509Extension>()
  for (const element of elements(reader.enter(TAG.sequence), MAX_EXTENSIONS)) {
    const fields = wholeElement(element.bytes, TAG.sequence)
    const id = objectIdentifierOf(fields.expect(TAG.objectIdentifier))
    const flag = fields.optional(TAG.boolean)
    const { content: value } = fields.expect(TAG.octetString)
    fields.end()
    if (extensions.has(id)) throw new DerError(`extension ${id} twice`)
    extensions.set(id, { critical: flag !== undefined && booleanOf(flag), value })
  }
  reader.end()
  return extensions
}

/** Parses a whole certificate. Throws DerError. */
export function parseX509(bytes: Uint8Array): X509 {
  if (bytes.length > MAX_CERTIFICATE_SIZE) throw new DerError('certificate larger than 16 KiB')
  const certificate = wholeElement(bytes, TAG.sequence)
  const signedPart = certificate.expect(TAG.sequence)
  const signatureAlgorithm = certificate.expect(TAG.sequence)
  const signature = octetsOfBitString(certificate.expect(TAG.bitString))
  certificate.end()

  const fields = wholeElement(signedPart.bytes, TAG.sequence)
  const version = fields.enter(contextTag(0))
  if (smallIntegerOf(version.expect(TAG.integer)) !== VERSION_3)
    throw new DerError('certificate of another version than 3')
  version.end()
  fields.expect(TAG.integer)
  // Section 4.1.1.2: the algorithm stands inside the signed part as well, so that it cannot be exchanged.
  if (!sameBytes(fields.expect(TAG.sequence), signatureAlgorithm)) throw new DerError('two signature algorithms')
  const issuer = fields.expect(TAG.sequence).bytes
  const validity = fields.enter(TAG.sequence)
  const [notBefore, notAfter] = [timeOf(validity.next()), timeOf(validity.next())]
  validity.end()
  const subject = fields.expect(TAG.sequence).bytes
  const publicKeyInfo = fields.expect(TAG.sequence).bytes
  // issuerUniqueID and subjectUniqueID, section 4.1.2.8: BIT STRINGs under implicit tags, of no use to anyone.
  fields.optional(0x81)
  fields.optional(0x82)
  const extensions = fields.isAtEnd ? new Map<string, X509Extension>() : readExtensions(fields.enter(contextTag(3)))
  fields.end()
  return {
    bytes,
    signedPart: signedPart.bytes,
    signatureAlgorithm,
    signature,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    extensions,
  }
}
