import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../shared/crypto/node.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { DerError } from './der.ts'
import { parseX509, type X509 } from './x509.ts'
import { isSelfSigned } from './x509-signature.ts'

/** A certificate of the trust directory. */
export interface EndorsementAuthority {
  readonly certificate: X509
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Signed by itself: a chain may end here. The others only lead on. */
  readonly isRoot: boolean
}

/** What the operator trusts to certify TPMs. */
export class EndorsementAuthorities {
  readonly #bySubject = new Map<string, EndorsementAuthority[]>()
  #count = 0

  /** Throws DerError for a certificate that cannot be read. The same one twice counts once. */
  add(der: Uint8Array): void {
    const certificate = parseX509(der)
    const authority = { certificate, fingerprint: toHex(sha256(der)), isRoot: isSelfSigned(certificate) }
    const subject = toHex(certificate.subject)
    const known = this.#bySubject.get(subject) ?? []
    if (known.some(({ fingerprint }) => fingerprint === authority.fingerprint)) return
    this.#bySubject.set(subject, [...known, authority])
    this.#count++
  }

  /** Those whose subject is the DER name `subject`. */
  named(subject: Uint8Array): readonly EndorsementAuthority[] {
    return this.#bySubject.get(toHex(subject)) ?? []
  }

  get size(): number {
    return this.#count
  }
}

/** A file that was left out, and why: to be logged, for its vendor's TPMs will not be trusted. */
export interface SkippedFile {
  readonly path: string
  readonly reason: string
}

const ENDINGS = /\.(pem|crt|cer|der)$/i
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g
const MAX_FILE_SIZE = 4 * 1024 * 1024

/** The certificates in a file: one as DER, or any number as PEM. */
export function certificatesInFile(content: Buffer): Buffer[] {
  const text = content.toString('latin1')
  if (!text.includes('-----BEGIN')) return [content]
  return [...text.matchAll(PEM)].map(([, body = '']) => Buffer.from(body, 'base64'))
}

async function addFile(path: string, authorities: EndorsementAuthorities): Promise<string | undefined> {
  if ((await stat(path)).size > MAX_FILE_SIZE) return 'larger than 4 MiB'
  const certificates = certificatesInFile(await readFile(path))
  if (certificates.length === 0) return 'no certificate in it'
  for (const certificate of certificates) authorities.add(certificate)
  return undefined
}

/**
 * Reads roots and intermediates of TPM vendors from the files `*.pem`, `*.crt`, `*.cer` and `*.der` in `directory`,
 * each PEM or DER. A directory that does not exist holds none. One bad file is reported and does not cost the others.
 * Throws KeepsealError `file.unreadable` when the directory itself cannot be read.
 */
export async function loadEndorsementAuthorities(
  directory: string,
): Promise<{ authorities: EndorsementAuthorities; skipped: SkippedFile[] }> {
  const authorities = new EndorsementAuthorities()
  const skipped: SkippedFile[] = []
  for (const name of await listed(directory)) {
    const path = join(directory, name)
    try {
      const reason = await addFile(path, authorities)
      if (reason !== undefined) skipped.push({ path, reason })
    } catch (error) {
      if (!(error instanceof DerError) && !isSystemError(error)) throw error
      skipped.push({ path, reason: error.message })
    }
  }
  return { authorities, skipped }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error

async function listed(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => ENDINGS.test(name)).sort()
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return []
    throw new KeepsealError('file.unreadable', directory, { cause: error })
  }
}
