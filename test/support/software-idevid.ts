import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { encodeSignature } from '../../shared/tpm/signature.ts'
import { name } from './der-writer.ts'
import {
  authority,
  basicConstraints,
  certificate,
  DIGITAL_SIGNATURE,
  TEST_NOW,
  YEAR_MS,
  type CertificateFields,
} from './test-certificates.ts'

/** An IDevID in software: the manufacturer's certificate, and what its key signs. */
export interface SoftwareIdevid {
  readonly certificate: Uint8Array
  readonly publicKeyInfo: Uint8Array
  /** TPMT_SIGNATURE. */
  sign(message: Uint8Array): Uint8Array
}

export type IdevidKind = 'p256' | 'p384' | 'rsassa' | 'rsapss'

const manufacturer = authority('Manufacturer', null)
/** No end: IEEE 802.1AR-2018, 8.7. */
const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59)

export const idevidSubject = (serial: string): Uint8Array => name(['2.5.4.10', 'Acme'], ['2.5.4.5', serial])

type Changes = Partial<CertificateFields>

/** The certificate that the manufacturer gives to a key. */
export function idevidCertificate(publicKeyInfo: Uint8Array, changes: Changes = {}): Uint8Array {
  return certificate({
    subject: idevidSubject('0001'),
    issuer: manufacturer.subject,
    signingKey: manufacturer.privateKey,
    notBefore: TEST_NOW - YEAR_MS,
    notAfter: NEVER,
    extensions: [basicConstraints(false), DIGITAL_SIGNATURE],
    digest: 'sha256',
    publicKeyInfo,
    ...changes,
  })
}

function signatureOf(kind: IdevidKind, key: KeyObject, message: Uint8Array): Uint8Array {
  if (kind === 'rsassa') {
    return encodeSignature({ scheme: kind, hash: 'sha256', signature: sign('sha256', message, key) })
  }
  if (kind === 'rsapss') {
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    return encodeSignature({ scheme: kind, hash: 'sha256', signature: sign('sha256', message, { key, ...padding }) })
  }
  const hash = kind === 'p384' ? 'sha384' : 'sha256'
  const raw = sign(hash, message, { key, dsaEncoding: 'ieee-p1363' })
  const half = raw.length / 2
  return encodeSignature({ scheme: 'ecdsa', hash, r: raw.subarray(0, half), s: raw.subarray(half) })
}

export function softwareIdevid(kind: IdevidKind = 'p256', changes: Changes = {}): SoftwareIdevid {
  const { privateKey, publicKey } =
    kind === 'p256' || kind === 'p384'
      ? generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'P-256' : 'P-384' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicKeyInfo = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  return {
    certificate: idevidCertificate(publicKeyInfo, changes),
    publicKeyInfo,
    sign: (message) => signatureOf(kind, privateKey, message),
  }
}
