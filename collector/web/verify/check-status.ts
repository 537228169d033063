import { toHex } from '../../../shared/bytes/bytes.ts'
import { openStatus } from '../../../shared/certificate/status.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash } from './crypto.ts'

/** What the page says of the status that it shows. */
export interface ShownStatus {
  readonly certificate: string
  /** Public key of the collector. */
  readonly key: Uint8Array
  /** SHA-256 of the signed status that the page was made from, in hexadecimal. */
  readonly digest: string
}

export type Checked =
  | { readonly isGood: true; readonly keyId: string; readonly issuedAt: number }
  /** `reason`: for people, in English; it says what is wrong with the bytes. */
  | { readonly isGood: false; readonly kind: Wrong; readonly reason: string }

/** What can be wrong, for other languages. */
export type Wrong = 'other-certificate' | 'expired' | 'other-status' | 'not-valid' | 'not-fetched'

/** Whether these bytes are what the page shows, and signed by that key. `now`: seconds since 1970. Throws nothing. */
export function checkStatus(bytes: Uint8Array, { certificate, key, digest }: ShownStatus, now: number): Checked {
  const wrong = (kind: Wrong, reason: string): Checked => ({ isGood: false, kind, reason })
  try {
    const thumbprint = coseKeyThumbprint({ curve: 'Ed25519', x: key }, hash)
    const status = openStatus(bytes, { key: ed25519Key(key), thumbprint })
    if (status.certificate !== certificate) return wrong('other-certificate', `it is about ${status.certificate}`)
    if (status.expiresAt <= now) return wrong('expired', 'it has expired, and nothing newer was given')
    if (toHex(hash('sha256', bytes)) !== digest)
      return wrong('other-status', 'it is another status than the one that this page shows')
    return { isGood: true, keyId: toHex(thumbprint), issuedAt: status.issuedAt }
  } catch (error) {
    return wrong('not-valid', error instanceof Error ? error.message : 'it cannot be read')
  }
}
