import type { ByteOrder } from '../bytes/reader.ts'
import { HASH_SIZE } from '../crypto/crypto.ts'
import { LEGACY_NAME_MAX } from './constants.ts'
import { decodeDigest, decodeName, encodeField, pathText, type FieldId } from './fields.ts'
import { malformedEntry } from './malformed.ts'
import type { ImaDigest, ImaFields } from './types.ts'

/** The template of kernels before 3.13, and of ima_template=ima: a SHA-1 digest and a name, both without a length. */
export const LEGACY_TEMPLATE = 'ima'

/** Templates by their fields: builtin_templates of security/integrity/ima/ima_template.c. */
const TEMPLATES: ReadonlyMap<string, readonly FieldId[]> = new Map([
  ['ima-ng', ['d-ng', 'n-ng']],
  ['ima-sig', ['d-ng', 'n-ng', 'sig']],
  ['ima-buf', ['d-ng', 'n-ng', 'buf']],
  ['ima-ngv2', ['d-ngv2', 'n-ng']],
  ['ima-sigv2', ['d-ngv2', 'n-ng', 'sig']],
  ['ima-modsig', ['d-ng', 'n-ng', 'sig', 'd-modsig', 'modsig']],
])

/** Undefined for a template that this software does not know, and for `ima`, which has no fields of this kind. */
export const fieldsOfTemplate = (name: string): readonly FieldId[] | undefined => TEMPLATES.get(name)

const LENGTH_SIZE = 4

/** The caller has checked that the four bytes are there. A reader for each entry would cost more than its fields. */
function u32(data: Uint8Array, offset: number, order: ByteOrder): number {
  const a = data[offset] ?? 0
  const b = data[offset + 1] ?? 0
  const c = data[offset + 2] ?? 0
  const d = data[offset + 3] ?? 0
  return order === 'little-endian'
    ? (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
    : ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/**
 * Reads template data: each field after its length as a 32-bit number in the kernel's byte order. The bytes stay what
 * is hashed, so the order matters to them too. Throws `ima.malformed`.
 */
export function decodeTemplateData(
  fields: readonly FieldId[],
  data: Uint8Array,
  order: ByteOrder,
  sequence: number,
): ImaFields {
  let digest: ImaDigest | undefined
  let path: string | undefined
  let signature: Uint8Array | null = null
  let buffer: Uint8Array | null = null
  let offset = 0
  for (const field of fields) {
    const start = offset + LENGTH_SIZE
    if (start > data.length) throw malformedEntry(sequence, `the field ${field} is missing`)
    offset = start + u32(data, offset, order)
    if (offset > data.length) throw malformedEntry(sequence, `the field ${field} goes beyond the template data`)
    if (field === 'd-ng' || field === 'd-ngv2') digest = decodeDigest(data, start, offset, field)
    else if (field === 'n-ng') path = decodeName(data, start, offset)
    else if (field === 'sig') signature = start === offset ? null : data.subarray(start, offset)
    else if (field === 'buf') buffer = data.subarray(start, offset)
  }
  if (offset !== data.length) throw malformedEntry(sequence, 'bytes follow the last field')
  if (digest === undefined) throw malformedEntry(sequence, 'the digest field is not algorithm and digest')
  if (path === undefined) throw malformedEntry(sequence, 'the name does not end with its only NUL')
  return { digest, path, signature, buffer }
}

/** Template data from the texts of an ASCII line, one for each field. Throws `ima.malformed`. */
export function encodeTemplateData(
  fields: readonly FieldId[],
  texts: readonly string[],
  order: ByteOrder,
  sequence: number,
): Uint8Array {
  const parts: Uint8Array[] = []
  let size = 0
  for (const [index, field] of fields.entries()) {
    const bytes = encodeField(field, texts[index] ?? '')
    if (bytes === undefined) throw malformedEntry(sequence, `the field ${field} is not what the kernel prints`)
    size += LENGTH_SIZE + bytes.length
    parts.push(bytes)
  }
  const data = new Uint8Array(size)
  const view = new DataView(data.buffer)
  let offset = 0
  for (const part of parts) {
    view.setUint32(offset, part.length, order === 'little-endian')
    data.set(part, offset + LENGTH_SIZE)
    offset += LENGTH_SIZE + part.length
  }
  return data
}

/**
 * What the template digest of `ima` covers: the digest, and the name padded with zeros to 256 bytes, without lengths.
 * `name`: without a NUL. Throws `ima.malformed`.
 */
export function legacyTemplateData(digest: Uint8Array, name: Uint8Array, sequence: number): Uint8Array {
  if (digest.length !== HASH_SIZE.sha1) throw malformedEntry(sequence, 'the digest is not one of SHA-1')
  if (name.length > LEGACY_NAME_MAX) throw malformedEntry(sequence, `a name of ${name.length} bytes`)
  if (name.includes(0)) throw malformedEntry(sequence, 'a NUL within the name')
  const data = new Uint8Array(HASH_SIZE.sha1 + LEGACY_NAME_MAX + 1)
  data.set(digest)
  data.set(name, HASH_SIZE.sha1)
  return data
}

export function legacyFields(digest: Uint8Array, name: Uint8Array): ImaFields {
  return {
    digest: { kind: 'content', algorithm: 'sha1', value: digest },
    path: pathText(name),
    signature: null,
    buffer: null,
  }
}
