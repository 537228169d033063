import { equal, utf8 } from '../../shared/bytes/bytes.ts'
import type { HmacFunction } from '../../shared/crypto/crypto.ts'

/** Time-based one-time passwords (RFC 6238) as authenticator apps make them: HMAC-SHA-1, 30 seconds, 6 digits. */
const STEP_SECONDS = 30
const DIGITS = 6
/** Steps before and after, for clocks that differ and people who are slow (RFC 6238 section 5.2). */
const DRIFT = 1

export const totpStep = (nowMs: number): number => Math.floor(nowMs / 1000 / STEP_SECONDS)

/** HOTP (RFC 4226 section 5.3) of a counter, with `digits` digits. */
export function hotp(hmac: HmacFunction, secret: Uint8Array, counter: number, digits = DIGITS): string {
  const message = new Uint8Array(8)
  new DataView(message.buffer).setBigUint64(0, BigInt(counter))
  const mac = hmac('sha1', secret, message)
  const offset = (mac.at(-1) ?? 0) & 0x0f
  const view = new DataView(mac.buffer, mac.byteOffset, mac.byteLength)
  const truncated = view.getUint32(offset) & 0x7fff_ffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}

/**
 * The step that a code is for, of those that are current and later than `lastUsed`: a code counts once, and so does every
 * one before it. undefined: wrong, or used.
 */
export function acceptedStep(
  hmac: HmacFunction,
  secret: Uint8Array,
  code: string,
  { now, lastUsed }: { readonly now: number; readonly lastUsed: number | null },
): number | undefined {
  const current = totpStep(now)
  let accepted: number | undefined
  // All are computed, whichever fits.
  for (let step = current - DRIFT; step <= current + DRIFT; step++) {
    const isRight = step >= 0 && equal(utf8(hotp(hmac, secret, step)), utf8(code))
    if (isRight && (lastUsed === null || step > lastUsed)) accepted = step
  }
  return accepted
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 section 6, without padding: as people type secrets into apps. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]
}

/** What a QR code for an app says (the key URI format that apps agree on). */
export function otpauthUri(issuer: string, login: string, secret: Uint8Array): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(login)}`
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_SECONDS}`
}
