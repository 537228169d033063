import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { BACKDATING_MS, issueCertificate, type CertificateAuthority } from './certificate-authority.ts'
import type { RequestedKey } from './certificate-request.ts'

/** An MQTT client certificate as the device gets it. */
export interface DeviceCertificate {
  /** PEM. */
  readonly certificate: string
  /** Milliseconds since 1970. */
  readonly notAfter: number
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyHash: Uint8Array
}

export const DEFAULT_DEVICE_CERTIFICATE_LIFETIME_MS = 90 * 86_400_000

/**
 * Certifies the key as the TLS client `ueid`, from an hour ago until `lifetimeMs` from now. The UEID is the only
 * name in it: the broker takes it for the user name and the client id.
 */
export async function issueDeviceCertificate(
  authority: CertificateAuthority,
  order: {
    readonly ueid: Ueid
    readonly key: RequestedKey
    readonly now: number
    readonly lifetimeMs: number
    readonly random: RandomFunction
  },
): Promise<DeviceCertificate> {
  // Certificates count in seconds.
  const notAfter = Math.floor((order.now + order.lifetimeMs) / 1000) * 1000
  const certificate = await issueCertificate(authority, {
    subject: { role: 'client', name: order.ueid },
    publicKeyInfo: order.key.publicKeyInfo,
    notBefore: order.now - BACKDATING_MS,
    notAfter,
    random: order.random,
  })
  return { certificate, notAfter, keyHash: order.key.hash }
}
