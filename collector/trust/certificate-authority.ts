import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import type { Extension } from '@peculiar/x509'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'

/** The collector's own certificate authority: it certifies the TLS keys of devices and of the collector itself. */
export interface CertificateAuthority {
  readonly privateKey: KeyObject
  /** PEM. */
  readonly certificate: string
}

/** Who a certificate is for; decides its extensions. */
export type CertificateSubject =
  /** MQTT client: `name` becomes the common name. */
  | { readonly role: 'client'; readonly name: string }
  /** HTTPS and MQTT server: DNS names and IP addresses. */
  | { readonly role: 'server'; readonly names: readonly string[] }

export interface CertificateOrder {
  readonly subject: CertificateSubject
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  readonly random: RandomFunction
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const ROOT_LIFETIME_MS = 25 * 365 * 86_400_000
/** Clocks of devices may be behind. */
export const BACKDATING_MS = 3_600_000

/** 165 ms and 17 MB: loaded when the first certificate is made. It needs reflect-metadata and does not load it. */
async function library() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets. 126 random bits. */
function serialNumber(random: RandomFunction): string {
  const bytes = Uint8Array.from(random(16))
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f)
  return toHex(bytes)
}

async function signingKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
    publicKey: await subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  }
}

/** Makes a new authority: P-256, self-signed, valid for 25 years, for certificates directly under it. */
export async function createCertificateAuthority(now: number, random: RandomFunction): Promise<CertificateAuthority> {
  const x509 = await library()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = await signingKeys(privateKey)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(random),
    // Clients look authorities up by name: two collectors should not have the same.
    name: [{ CN: [`Keepseal collector ${toHex(random(4))}`] }],
    notBefore: new Date(now - BACKDATING_MS),
    notAfter: new Date(now + ROOT_LIFETIME_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { privateKey, certificate: `${certificate.toString('pem')}\n` }
}

/** Reads an authority from PEM. Throws `state.unreadable` unless the key belongs to the certificate. */
export function parseCertificateAuthority(key: string, certificate: string): CertificateAuthority {
  try {
    const privateKey = createPrivateKey(key)
    if (new X509Certificate(certificate).checkPrivateKey(privateKey)) return { privateKey, certificate }
  } catch (cause) {
    throw new KeepsealError('state.unreadable', 'device CA', { cause })
  }
  throw new KeepsealError('state.unreadable', 'device CA: the key does not belong to the certificate')
}

const isAddress = (name: string): boolean => /^[0-9.]+$/.test(name) || name.includes(':')

/**
 * Issues a certificate, PEM. Nothing but the order goes into it. Throws `request.invalid` for a time span that ends
 * before it begins.
 */
export async function issueCertificate(authority: CertificateAuthority, order: CertificateOrder): Promise<string> {
  if (order.notAfter <= order.notBefore) throw new KeepsealError('request.invalid', 'certificate lifetime')
  const x509 = await library()
  const issuer = new x509.X509Certificate(authority.certificate)
  const { subject } = order
  const purpose = subject.role === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([purpose]),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    await x509.SubjectKeyIdentifierExtension.create(order.publicKeyInfo),
  ]
  if (subject.role === 'server') {
    const names = subject.names.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value }))
    extensions.push(new x509.SubjectAlternativeNameExtension(names))
  }
  const { privateKey } = await signingKeys(authority.privateKey)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(order.random),
    subject: [{ CN: [subject.role === 'client' ? subject.name : 'Keepseal collector'] }],
    issuer: issuer.subjectName,
    notBefore: new Date(order.notBefore),
    notAfter: new Date(order.notAfter),
    publicKey: order.publicKeyInfo,
    signingKey: privateKey,
    signingAlgorithm: ALGORITHM,
    extensions,
  })
  return `${certificate.toString('pem')}\n`
}
