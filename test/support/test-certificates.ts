import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import {
  bitString,
  boolean,
  commonName,
  der,
  generalizedTime,
  integer,
  name,
  objectIdentifier,
  octetString,
  sequence,
} from './der-writer.ts'

/** Certificates of invented TPM vendors, with every fault that a test wants. */

export const YEAR_MS = 365 * 86_400_000
export const TEST_NOW = Date.UTC(2026, 10, 22, 12)

export interface TestKey {
  readonly privateKey: KeyObject
  readonly publicKeyInfo: Uint8Array
}

export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKeyInfo: publicKey.export({ format: 'der', type: 'spki' }) }
}

export const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  critical
    ? sequence(objectIdentifier(id), boolean(true), octetString(value))
    : sequence(objectIdentifier(id), octetString(value))

export const basicConstraints = (ca: boolean, pathLength?: number): Uint8Array =>
  extension(
    '2.5.29.19',
    true,
    sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
  )

/** `bits`: the first octet of KeyUsage; `unused`: how many of its bits do not count. */
export const keyUsage = (bits: number, unused: number): Uint8Array =>
  extension('2.5.29.15', true, der(0x03, Uint8Array.of(unused, bits)))
export const KEY_CERT_SIGN = keyUsage(0x04, 2)
export const KEY_ENCIPHERMENT = keyUsage(0x20, 5)
export const DIGITAL_SIGNATURE = keyUsage(0x80, 7)

export const purpose = (...ids: string[]): Uint8Array =>
  extension('2.5.29.37', false, sequence(...ids.map(objectIdentifier)))

export const tpmName = (manufacturer: string, model: string, version: string): Uint8Array =>
  extension(
    '2.5.29.17',
    true,
    sequence(der(0xa4, name(['2.23.133.2.1', manufacturer], ['2.23.133.2.2', model], ['2.23.133.2.3', version]))),
  )

export interface CertificateFields {
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
  readonly publicKeyInfo: Uint8Array
  readonly signingKey: KeyObject
  readonly notBefore: number
  readonly notAfter: number
  readonly extensions: readonly Uint8Array[]
  readonly digest: 'sha1' | 'sha256'
}

const SIGNATURE = { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2' } as const

/** DER of a certificate signed with ECDSA. */
export function certificate(fields: CertificateFields): Uint8Array {
  const algorithm = sequence(objectIdentifier(SIGNATURE[fields.digest]))
  const signedPart = sequence(
    der(0xa0, integer(2)),
    integer(1),
    algorithm,
    fields.issuer,
    sequence(generalizedTime(fields.notBefore), generalizedTime(fields.notAfter)),
    fields.subject,
    fields.publicKeyInfo,
    ...(fields.extensions.length === 0 ? [] : [der(0xa3, sequence(...fields.extensions))]),
  )
  return sequence(signedPart, algorithm, bitString(sign(fields.digest, signedPart, fields.signingKey)))
}

export interface TestAuthority extends TestKey {
  readonly subject: Uint8Array
  readonly der: Uint8Array
}

type Changes = Partial<Omit<CertificateFields, 'publicKeyInfo'>> & { readonly key?: TestKey }

/** A root when `issuer` is null. */
export function authority(title: string, issuer: TestAuthority | null, changes: Changes = {}): TestAuthority {
  const key = changes.key ?? testKey()
  const subject = changes.subject ?? commonName(title)
  const bytes = certificate({
    subject,
    issuer: issuer?.subject ?? subject,
    signingKey: issuer?.privateKey ?? key.privateKey,
    notBefore: TEST_NOW - YEAR_MS,
    notAfter: TEST_NOW + YEAR_MS,
    extensions: [basicConstraints(true), KEY_CERT_SIGN],
    digest: 'sha256',
    publicKeyInfo: key.publicKeyInfo,
    ...changes,
  })
  return { ...key, subject, der: bytes }
}

const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59)

export const EK_EXTENSIONS = {
  constraints: basicConstraints(false),
  usage: KEY_ENCIPHERMENT,
  purpose: purpose('2.23.133.8.1'),
  tpm: tpmName('id:4B534541', 'model A', 'id:00010002'),
} as const

/** The certificate of an endorsement key: without a subject and without an end, as vendors make them. */
export function ekCertificate(publicKeyInfo: Uint8Array, issuer: TestAuthority, changes: Changes = {}): Uint8Array {
  return certificate({
    subject: name(),
    issuer: issuer.subject,
    signingKey: issuer.privateKey,
    notBefore: TEST_NOW - YEAR_MS,
    notAfter: NEVER,
    extensions: Object.values(EK_EXTENSIONS),
    digest: 'sha256',
    publicKeyInfo,
    ...changes,
  })
}
