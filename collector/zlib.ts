import { deflateSync, inflateSync } from 'node:zlib'
import type { Deflate, Inflate } from '../shared/certificate/status-list.ts'

/** zlib (RFC 1950) with the highest compression, as draft-ietf-oauth-status-list recommends. */
export const deflateZlib: Deflate = (bytes) => new Uint8Array(deflateSync(bytes, { level: 9 }))

/** Nothing beyond `maximum` bytes is allocated. */
export const inflateZlib: Inflate = (bytes, maximum) => {
  try {
    // Zero would mean no bound at all.
    return new Uint8Array(inflateSync(bytes, { maxOutputLength: Math.max(maximum, 1) }))
  } catch {
    return undefined
  }
}
