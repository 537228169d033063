import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { certificatesIn } from '../../shared/text/pem.ts'
import { BACKDATING_MS, issueCertificate, type CertificateAuthority } from './certificate-authority.ts'
import { exists, readSecretFile, replaceSecretFile } from './key-files.ts'

/** What HTTPS and MQTT over TLS present. Both PEM. */
export interface ServerCertificate {
  readonly privateKey: string
  readonly certificate: string
  /** Milliseconds since 1970. */
  readonly notAfter: number
}

export const DEFAULT_SERVER_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']

const FILE = 'server.pem'
const LIFETIME_MS = 365 * 86_400_000
const RENEWAL_MS = 60 * 86_400_000
const KEY = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/

function parse(pem: string): ServerCertificate & { readonly x509: X509Certificate } {
  const [privateKey] = KEY.exec(pem) ?? []
  const [certificate] = CERTIFICATE.exec(pem) ?? []
  if (privateKey === undefined || certificate === undefined) throw new KeepsealError('state.unreadable', FILE)
  try {
    const x509 = new X509Certificate(certificate)
    if (x509.checkPrivateKey(createPrivateKey(privateKey))) {
      return { privateKey, certificate, notAfter: Date.parse(x509.validTo), x509 }
    }
  } catch (cause) {
    throw new KeepsealError('state.unreadable', FILE, { cause })
  }
  throw new KeepsealError('state.unreadable', `${FILE}: the key does not belong to the certificate`)
}

const isAddress = (name: string): boolean => /^[0-9.]+$/.test(name) || name.includes(':')

/** Still good: issued by one of these authorities, for these names, and not about to end. */
function serves(x509: X509Certificate, authorities: string, names: readonly string[], now: number): boolean {
  const issuers = certificatesIn(authorities).map((pem) => new X509Certificate(pem))
  if (!issuers.some((issuer) => x509.checkIssued(issuer) && x509.verify(issuer.publicKey))) return false
  if (now < Date.parse(x509.validFrom) || now > Date.parse(x509.validTo) - RENEWAL_MS) return false
  const listed = (x509.subjectAltName ?? '').split(', ').length
  const covered = names.every((name) => (isAddress(name) ? x509.checkIP(name) : x509.checkHost(name)) !== undefined)
  return covered && listed === names.length
}

/**
 * The collector's TLS key and certificate in `directory`, made anew when there is none, when it ends within 60 days
 * or when `names` (DNS names and IP addresses) have changed. Call it at start and now and then; a new certificate has
 * a new key, and clients trust it by the authority. Both are in one file, so that they always fit each other.
 */
export async function ensureServerCertificate(options: {
  readonly directory: string
  readonly authority: CertificateAuthority
  /** PEM of all that hold, where there are others: a certificate by a former one is kept, as who knows no other trusts it. */
  readonly authorities?: string
  readonly names: readonly string[]
  readonly now: number
  readonly random: RandomFunction
}): Promise<ServerCertificate> {
  const { directory, authority, authorities = authority.certificate, now, random } = options
  const names = [...new Set(options.names)]
  const path = join(directory, FILE)
  if (await exists(path)) {
    const { x509, ...current } = parse((await readSecretFile(path)).toString('latin1'))
    if (serves(x509, authorities, names, now)) return current
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = await issueCertificate(authority, {
    subject: { role: 'server', names },
    publicKeyInfo: publicKey.export({ format: 'der', type: 'spki' }),
    notBefore: now - BACKDATING_MS,
    notAfter: now + LIFETIME_MS,
    random,
  })
  const pem = `${privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()}${certificate}`
  await replaceSecretFile(path, Buffer.from(pem, 'latin1'))
  const { x509: _, ...made } = parse(pem)
  return made
}
