import { inflateRawSync } from 'node:zlib'

/** Raw DEFLATE (RFC 1951). Undefined for what is damaged, or larger than `maximum` bytes: then no more is allocated. */
export function inflate(encoded: Uint8Array, maximum: number): Uint8Array | undefined {
  try {
    // Zero would mean no bound at all.
    return inflateRawSync(encoded, { maxOutputLength: Math.max(maximum, 1) })
  } catch {
    return undefined
  }
}
