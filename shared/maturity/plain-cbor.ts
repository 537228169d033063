import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import type { CborLimits } from '../cbor/scan.ts'
import type { CborMap, CborValue } from '../cbor/value.ts'

/** Deterministic CBOR (RFC 8949 section 4.2.1) of what people write: no fractions, nothing that is absent. */
export const encodePlain = (value: unknown): Uint8Array => encodeCbor(toCbor(value))

function toCbor(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toCbor)
  if (typeof value !== 'object' || value === null) return value as CborValue
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return new Map(entries.map(([key, item]) => [key, toCbor(item)]))
}

/** What `encodePlain` wrote, for a schema to check. Throws OutcomeError `cbor.*`. */
export const decodePlain = (bytes: Uint8Array, limits: CborLimits): unknown => fromCbor(decodeCbor(bytes, limits))

function fromCbor(value: CborValue): unknown {
  if (Array.isArray(value)) return (value as readonly CborValue[]).map(fromCbor)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...(value as CborMap)].map(([key, item]) => [String(key), fromCbor(item)]))
}
