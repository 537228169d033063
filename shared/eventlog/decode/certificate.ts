import { equal, toHex } from '../../bytes/bytes.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { derValues, OBJECT_IDENTIFIER, readDer, SEQUENCE, SET, type DerValue } from './der.ts'

/** What people know a certificate by. Nothing here checks a signature: PCR 7 proves which certificates firmware holds. */
export interface CertificateSummary {
  /** Common name of the subject; absent where it has none or the certificate is not readable as DER. */
  readonly subject?: string
  readonly issuer?: string
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly sha256: string
}

/** id-at-commonName and id-at-organizationName, RFC 5280 appendix A.1: the latter where a name has no common name. */
const COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03)
const ORGANIZATION = Uint8Array.of(0x55, 0x04, 0x0a)

/** Tags of DirectoryString and IA5String. */
const UTF8_STRING = 0x0c
const PRINTABLE_STRING = 0x13
const TELETEX_STRING = 0x14
const IA5_STRING = 0x16
const BMP_STRING = 0x1e

const VERSION = 0xa0

/** Positions in TBSCertificate behind the optional version. */
const ISSUER = 2
const SUBJECT = 4

/** True if the bytes begin with a DER sequence that fills them: what tells a certificate from a hash or a structure. */
export function looksLikeCertificate(data: Uint8Array): boolean {
  const value = readDer(data)
  return value?.tag === SEQUENCE && value.end === data.length
}

export function summarizeCertificate(der: Uint8Array, hash: HashFunction): CertificateSummary {
  const sha256 = toHex(hash('sha256', der))
  const { subject, issuer } = namesOf(der)
  return { ...(subject === undefined ? {} : { subject }), ...(issuer === undefined ? {} : { issuer }), sha256 }
}

/** TBSCertificate, RFC 5280 section 4.1: version?, serialNumber, signature, issuer, validity, subject, ... */
function namesOf(der: Uint8Array): { subject: string | undefined; issuer: string | undefined } {
  const certificate = readDer(der)
  const tbs = certificate === undefined ? undefined : readDer(certificate.content)
  const fields = tbs === undefined ? undefined : derValues(tbs.content, SUBJECT + 2)
  const first = fields?.[0]?.tag === VERSION ? 1 : 0
  return { issuer: nameText(fields?.[first + ISSUER]), subject: nameText(fields?.[first + SUBJECT]) }
}

/** Names of real certificates have less than ten parts of one value each. One with more is shown as if it had none. */
const MAX_NAME_PARTS = 64

/** Name: a sequence of sets of (type, value). Read from its end, where the most specific part stands. */
function nameText(name: DerValue | undefined): string | undefined {
  if (name?.tag !== SEQUENCE) return undefined
  const sets = derValues(name.content, MAX_NAME_PARTS + 1) ?? []
  if (sets.length > MAX_NAME_PARTS) return undefined
  let organization: string | undefined
  for (let i = sets.length - 1; i >= 0; i--) {
    const set = sets[i]
    if (set?.tag !== SET) continue
    for (const attribute of derValues(set.content, MAX_NAME_PARTS) ?? []) {
      const [type, value] = derValues(attribute.content, 2) ?? []
      if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) continue
      if (equal(type.content, COMMON_NAME)) return stringText(value)
      if (equal(type.content, ORGANIZATION)) organization ??= stringText(value)
    }
  }
  return organization
}

const utf8Decoder = new TextDecoder()
const latin1Decoder = new TextDecoder('latin1')

/** RFC 5280 bounds a common name at 64 characters; what is longer is shown cut. */
const MAX_NAME_SIZE = 256

function stringText({ tag, content: whole }: DerValue): string | undefined {
  const content = whole.subarray(0, MAX_NAME_SIZE)
  switch (tag) {
    case UTF8_STRING:
    case PRINTABLE_STRING:
    case IA5_STRING:
      return utf8Decoder.decode(content)
    case TELETEX_STRING:
      return latin1Decoder.decode(content)
    case BMP_STRING:
      return String.fromCharCode(...pairs(content))
    default:
      return undefined
  }
}

function pairs(content: Uint8Array): readonly number[] {
  return Array.from({ length: content.length >> 1 }, (_, i) => ((content[2 * i] ?? 0) << 8) | (content[2 * i + 1] ?? 0))
}
