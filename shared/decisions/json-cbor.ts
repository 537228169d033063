import type { CborMap, CborValue } from '../cbor/value.ts'
import { KeepsealError } from '../errors.ts'

/** What a decision says beside its kind: JSON without fractions, so that people, schemas and CBOR agree on it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const malformed = (what: string): never => {
  throw new KeepsealError('log.malformed', what)
}

export function jsonToCbor(value: Json): CborValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly Json[]).map(jsonToCbor)
  return new Map(Object.entries(value).map(([key, item]) => [key, jsonToCbor(item)] as const))
}

/** Throws KeepsealError `log.malformed` for what JSON does not have. */
export function cborToJson(value: CborValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value
  if (Array.isArray(value)) return (value as readonly CborValue[]).map(cborToJson)
  if (!(value instanceof Map)) return malformed('a value that JSON does not have')
  const entries = [...(value as CborMap)].map(([key, item]) => {
    // `__proto__` as a key of an object literal would be no key.
    if (typeof key !== 'string' || key === '__proto__') return malformed(`the key ${key}`)
    return [key, cborToJson(item)] as const
  })
  return Object.fromEntries(entries)
}
