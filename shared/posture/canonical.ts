import * as v from 'valibot'
import { equal } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import type { CborLimits } from '../cbor/scan.ts'
import type { CborValue } from '../cbor/value.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { FAILURE_CODES, NO_PERMISSION_REASONS, NOT_SUPPORTED_REASONS, type SectionReading } from './reading.ts'
import { SECTIONS, type SectionId } from './sections.ts'

/** A section in its wire form, before compression and chunking. */
export interface EncodedSection {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`: what the posture map of the evidence names. */
  readonly digest: Uint8Array
}

export const MAX_SECTION_BYTES = 4 * 1024 * 1024

const SECTION_LIMITS: CborLimits = { maxBytes: MAX_SECTION_BYTES, maxDepth: 10, maxItems: 400_000 }

/**
 * Writes a reading in its one canonical form: {section, status, content | reason | code}, lists sorted and unique.
 * The section's name is part of it, so that two sections never share a digest. Anything else that `reading` carries
 * (state, details for the local log) stays on the device. Throws OutcomeError
 * `section.too-large` where no collector would take it for its size.
 */
export function encodeSection<S extends SectionId>(
  id: S,
  reading: SectionReading<S>,
  hash: HashFunction,
): EncodedSection {
  const bytes = encodeCbor(toCbor(toWire(id, reading)))
  if (bytes.length > MAX_SECTION_BYTES) throw new OutcomeError('section.too-large', `${id}: ${bytes.length} bytes`)
  return { bytes, digest: hash('sha256', bytes) }
}

/**
 * Reads a section that a device sent. Only the canonical form is accepted: for equal postures there is one digest.
 * Throws OutcomeError: `section.too-large`, `section.malformed`, or a `cbor.*` code for what is not even CBOR.
 */
export function decodeSection<S extends SectionId>(id: S, bytes: Uint8Array): SectionReading<S> {
  if (bytes.length > MAX_SECTION_BYTES) throw new OutcomeError('section.too-large', `${id}: ${bytes.length} bytes`)
  const plain = fromCbor(decodeCbor(bytes, SECTION_LIMITS))
  const result = v.safeParse(readingSchema(id), plain, { abortEarly: true })
  if (!result.success) {
    const [issue] = result.issues
    throw new OutcomeError('section.malformed', `${id}: ${v.getDotPath(issue) ?? 'reading'}: ${issue.message}`)
  }
  // The schema is the section's own, chosen by `id`: TypeScript cannot follow that through the union.
  const { section: _section, ...rest } = result.output
  const reading = rest as unknown as SectionReading<S>
  if (!equal(encodeCbor(toCbor(toWire(id, reading))), bytes)) {
    throw new OutcomeError('section.malformed', `${id}: a list is not sorted or has repetitions`)
  }
  return reading
}

function toWire<S extends SectionId>(id: S, reading: SectionReading<S>): object {
  switch (reading.status) {
    case 'measured':
      return { section: id, status: reading.status, content: SECTIONS[id].canonical(reading.content) }
    case 'failed':
      return { section: id, status: reading.status, code: reading.code }
    default:
      return { section: id, status: reading.status, reason: reading.reason }
  }
}

const readingSchemas = new Map<SectionId, ReturnType<typeof makeReadingSchema>>()

/** Made once for each section: making one costs more than reading with it. */
function readingSchema(id: SectionId) {
  const made = readingSchemas.get(id) ?? makeReadingSchema(id)
  readingSchemas.set(id, made)
  return made
}

function makeReadingSchema(id: SectionId) {
  const section = v.literal(id)
  return v.variant('status', [
    v.strictObject({ section, status: v.literal('measured'), content: SECTIONS[id].schema as v.GenericSchema }),
    v.strictObject({ section, status: v.literal('not-supported'), reason: v.picklist(NOT_SUPPORTED_REASONS) }),
    v.strictObject({ section, status: v.literal('no-permission'), reason: v.picklist(NO_PERMISSION_REASONS) }),
    v.strictObject({ section, status: v.literal('failed'), code: v.picklist(FAILURE_CODES) }),
  ])
}

/** Section contents are plain objects of texts, integers, booleans and lists; fields that are undefined are left out. */
function toCbor(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toCbor)
  if (typeof value !== 'object' || value === null) return value as CborValue
  const map = new Map<string, CborValue>()
  for (const key of Object.keys(value)) {
    const field: unknown = (value as Record<string, unknown>)[key]
    if (field !== undefined) map.set(key, toCbor(field))
  }
  return map
}

/** The reverse. What has no place in a section, such as a map with integer keys, becomes what no schema accepts. */
function fromCbor(value: CborValue): unknown {
  if (Array.isArray(value)) return value.map(fromCbor)
  if (!(value instanceof Map)) return value
  const entries = [...(value as ReadonlyMap<unknown, CborValue>)]
  if (entries.some(([key]) => typeof key !== 'string')) return undefined
  return Object.fromEntries(entries.map(([key, field]) => [key, fromCbor(field)]))
}
