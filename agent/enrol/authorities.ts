import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { KeepsealError } from '../../shared/errors.ts'

/**
 * Where distributions keep the certificate authorities that this machine trusts: Debian, Alpine and OpenWrt; Red Hat;
 * SUSE; others. Node itself comes with a list of its own and does not look there.
 */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** PEM of this machine's authorities; undefined where there is no such file, and Node's own list applies. */
export async function systemAuthorities(bundles: readonly string[] = SYSTEM_BUNDLES): Promise<string | undefined> {
  for (const path of bundles) {
    const pem = await readFile(path, 'latin1').catch(() => undefined)
    if (pem !== undefined && pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  }
  return undefined
}

/** What is in a file that an operator named. Throws `file.unreadable`, with what keeps this user from reading it. */
export async function readNamed(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'EACCES' ? ': the service may not read it' : ''
    throw new KeepsealError('file.unreadable', `${path}${reason}`, { cause })
  }
}

/** PEM of the one authority that an operator named. Throws `file.unreadable` for anything that is no certificate. */
export async function authoritiesIn(path: string): Promise<string> {
  const pem = (await readNamed(path)).toString('latin1')
  try {
    void new X509Certificate(pem)
    return pem
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${path} is not a certificate in PEM`, { cause })
  }
}
