import { concat } from '../bytes/bytes.ts'

const SEQUENCE = 0x30
const INTEGER = 0x02
/** Of P-256: so the whole is shorter than 128 bytes, and every length one byte. */
const FIELD = 32

/**
 * Ecdsa-Sig-Value (RFC 3279 section 2.2.3), which authenticators give for P-256, as r || s. undefined for anything that
 * is not its one DER encoding: two encodings of one signature would be two entries of one decision.
 */
export function rawFromDer(der: Uint8Array): Uint8Array | undefined {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return undefined
  const r = integerAt(der, 2)
  const s = r === undefined ? undefined : integerAt(der, r.end)
  if (r === undefined || s === undefined || s.end !== der.length) return undefined
  return concat(r.value, s.value)
}

function integerAt(der: Uint8Array, at: number): { readonly value: Uint8Array; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0
  const content = der.subarray(at + 2, at + 2 + length)
  const [first = 0x80, second = 0x80] = content
  if (der[at] !== INTEGER || length === 0 || content.length !== length || first >= 0x80) return undefined
  // A leading zero only where the number would be negative without it.
  if (first === 0 && length > 1 && second < 0x80) return undefined
  const digits = first === 0 ? content.subarray(1) : content
  if (digits.length > FIELD) return undefined
  const value = new Uint8Array(FIELD)
  value.set(digits, FIELD - digits.length)
  return { value, end: at + 2 + length }
}
