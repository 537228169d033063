import { createHash, X509Certificate } from 'node:crypto'
import type { Keyring, SigningKey } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_KEYS = 256
/** RFC 7468: the labels of a certificate and of a public key, and OpenSSL's older one for an RSA key. */
const BLOCK = /-----BEGIN (CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g
/** Of anything, but of revocation lists, which trust nobody. */
const BEGIN = /-----BEGIN (?!X509 CRL-----)/g

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').toUpperCase()

/** Certificates and public keys in a PEM file. Undefined if there are none, or one is damaged. */
export function readPemKeys(text: string): SigningKey[] | undefined {
  const keys: SigningKey[] = []
  for (const [, label, body = ''] of text.matchAll(BLOCK)) {
    if (keys.length >= MAX_KEYS) return undefined
    const der = Buffer.from(body, 'base64')
    if (der.length === 0) return undefined
    if (label !== 'CERTIFICATE') keys.push({ fingerprint: sha256(der) })
    else {
      const expires = certificateEnd(der)
      if (expires === undefined) return undefined
      keys.push({ fingerprint: sha256(der), expires })
    }
  }
  return keys.length === 0 || keys.length !== (text.match(BEGIN) ?? []).length ? undefined : keys
}

function certificateEnd(der: Uint8Array): number | undefined {
  try {
    const { raw, validTo } = new X509Certificate(der)
    const end = Math.floor(Date.parse(validTo) / 1000)
    return raw.length === der.length && Number.isSafeInteger(end) ? end : undefined
  } catch {
    return undefined
  }
}

/** A file as a keyring; `read` says what is in it, undefined where that cannot be told. */
export function readKeyFile(
  host: Host,
  path: string,
  read: (text: string) => readonly SigningKey[] | undefined = readPemKeys,
): Keyring {
  const about = { path: printable(path, 512), trustedForAll: true }
  const file = host.readText(path, MAX_FILE_BYTES)
  if (file.status !== 'found') return { ...about, status: file.status, keys: [] }
  const keys = read(file.value)
  return keys === undefined
    ? { ...about, status: 'malformed', keys: [] }
    : { ...about, status: 'read', keys: [...keys] }
}
