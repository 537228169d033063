import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import {
  BACKDATING_MS,
  issueCertificate,
  type CertificateAuthority,
  type CertificateSubject,
} from './certificate-authority.ts'
import { replaceSecretFile } from './key-files.ts'

export const DEFAULT_COLLECTOR_NAME = 'keepseal-collector'

/** No device has such a name: theirs are hexadecimal. */
const COLLECTOR_NAME = /^keepseal-collector(-[a-z0-9]{1,32})*$/

const LIFETIME_MS = 2 * 365 * 86_400_000

export interface BrokerCertificatesOrder {
  readonly authority: CertificateAuthority
  /** PEM of all authorities that hold, where there are others. */
  readonly authorities?: string
  /** Made where it is missing, mode 0700. */
  readonly directory: string
  /** DNS names and addresses by which devices and collector reach the broker. */
  readonly hosts: readonly string[]
  /** Common name of the collector's client certificate: one for each replica. */
  readonly collectorName: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly random: RandomFunction
}

export interface BrokerCertificates {
  readonly files: readonly string[]
  /** Milliseconds since 1970. */
  readonly notAfter: number
}

/**
 * Writes what an external broker and the collector as its client need: the authorities (`ca.pem`), the broker's key and
 * certificate (`server-key.pem`, `server.pem`) and the collector's (`{name}-key.pem`, `{name}.pem`). Keys are mode 0600.
 * Calling it again renews both. Throws `request.invalid` for a name that the broker's rules do not know.
 */
export async function writeBrokerCertificates(order: BrokerCertificatesOrder): Promise<BrokerCertificates> {
  const { authority, authorities = authority.certificate, directory, hosts, collectorName, now, random } = order
  if (!COLLECTOR_NAME.test(collectorName)) {
    throw new KeepsealError('request.invalid', `${collectorName} is no name of a collector`, {
      remedy: `Use ${DEFAULT_COLLECTOR_NAME}, or with a suffix for a further replica: ${DEFAULT_COLLECTOR_NAME}-2.`,
    })
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const notAfter = now + LIFETIME_MS
  const files: string[] = []
  const write = async (name: string, content: string, mode: number): Promise<void> => {
    const path = join(directory, name)
    await replaceSecretFile(path, Buffer.from(content, 'latin1'))
    await chmod(path, mode)
    files.push(path)
  }
  const issue = async (name: string, subject: CertificateSubject): Promise<void> => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const publicKeyInfo = publicKey.export({ format: 'der', type: 'spki' })
    const validity = { notBefore: now - BACKDATING_MS, notAfter }
    const certificate = await issueCertificate(authority, { subject, publicKeyInfo, ...validity, random })
    await write(`${name}-key.pem`, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 0o600)
    await write(`${name}.pem`, certificate, 0o644)
  }
  await write('ca.pem', authorities, 0o644)
  await issue('server', { role: 'server', names: [...new Set(hosts)] })
  await issue(collectorName, { role: 'client', name: collectorName })
  return { files, notAfter }
}
