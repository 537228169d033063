/**
 * Template fields of Linux IMA (Documentation/security/IMA-templates.rst), in both shapes in which a list shows them:
 * as the bytes that are hashed, and as the text that the ASCII list prints for them. All functions answer undefined
 * for what the kernel would not have written.
 */
import { fromUtf8 } from '../bytes/bytes.ts'
import { HASH_SIZE } from '../crypto/crypto.ts'
import { MAX_DIGEST_SIZE } from './constants.ts'
import type { ImaDigest } from './types.ts'

export type FieldId = 'd-ng' | 'd-ngv2' | 'n-ng' | 'sig' | 'buf' | 'd-modsig' | 'modsig'

const COLON = 0x3a

/** `d-ng` is `{algorithm}:` NUL digest; `d-ngv2` has `ima:` or `verity:` before that. */
const PREFIXES = {
  'd-ng': /^(?<kind>)(?<algorithm>[a-z0-9-]{1,64})$/,
  'd-ngv2': /^(?<kind>ima|verity):(?<algorithm>[a-z0-9-]{1,64})$/,
} as const
type DigestField = keyof typeof PREFIXES
const MAX_PREFIX = 'verity:'.length + 64

type DigestPrefix = Omit<ImaDigest, 'value'>

/** Nearly all entries of a list have the same prefix: one of these. */
const USUAL: Readonly<Record<DigestField, ReadonlyMap<string, DigestPrefix>>> = {
  'd-ng': new Map(Object.keys(HASH_SIZE).map((algorithm) => [algorithm, { kind: 'content', algorithm }])),
  'd-ngv2': new Map(Object.keys(HASH_SIZE).map((algorithm) => [`ima:${algorithm}`, { kind: 'content', algorithm }])),
}

function parsePrefix(text: string, field: DigestField): DigestPrefix | undefined {
  const usual = USUAL[field].get(text)
  if (usual !== undefined) return usual
  const { kind, algorithm } = PREFIXES[field].exec(text)?.groups ?? {}
  return algorithm === undefined ? undefined : { kind: kind === 'verity' ? 'verity' : 'content', algorithm }
}

/** The digest in `data` from `start` to before `end`. A view for each field would cost more than what is in it. */
export function decodeDigest(data: Uint8Array, start: number, end: number, field: DigestField): ImaDigest | undefined {
  let text = ''
  let offset = start
  for (; offset < end && data[offset] !== 0; offset++) {
    if (offset - start > MAX_PREFIX) return undefined
    text += String.fromCharCode(data[offset] as number)
  }
  if (offset === start || data[offset - 1] !== COLON) return undefined
  const size = end - offset - 1
  if (size < 1 || size > MAX_DIGEST_SIZE) return undefined
  const prefix = parsePrefix(text.slice(0, -1), field)
  if (prefix === undefined) return undefined
  return { kind: prefix.kind, algorithm: prefix.algorithm, value: data.subarray(offset + 1, end) }
}

/** `n-ng`: a name with its NUL, in `data` from `start` to before `end`. */
export function decodeName(data: Uint8Array, start: number, end: number): string | undefined {
  const last = end - 1
  return last < start || data.indexOf(0, start) !== last ? undefined : pathText(data.subarray(start, last))
}

/** The surrogates mark what is no UTF-8 without a loss, as PEP 383 does; TextDecoder never gives a lone one. */
export function pathText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    return latin1(bytes).replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)))
  }
}

/** The bytes of a field from its text in the ASCII list, where one character stands for one byte. */
export function encodeField(field: FieldId, text: string): Uint8Array | undefined {
  switch (field) {
    case 'n-ng':
      return bytesOf(`${text}\0`)
    case 'sig':
    case 'buf':
    case 'modsig':
      return hexBytes(text)
    case 'd-modsig':
      return text === '' ? new Uint8Array(0) : encodeDigest(text)
    case 'd-ng':
    case 'd-ngv2':
      return encodeDigest(text)
  }
}

function encodeDigest(text: string): Uint8Array | undefined {
  const end = text.lastIndexOf(':') + 1
  const digest = hexBytes(text.slice(end))
  if (digest === undefined) return undefined
  const bytes = new Uint8Array(end + 1 + digest.length)
  bytes.set(bytesOf(text.slice(0, end)))
  bytes.set(digest, end + 1)
  return bytes
}

/** The kernel prints lower case. */
export function hexBytes(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const value = (digitOf(text.charCodeAt(2 * i)) << 4) | digitOf(text.charCodeAt(2 * i + 1))
    if (value < 0) return undefined
    bytes[i] = value
  }
  return bytes
}

/** Negative for what is no digit, and so is every number that it is put together with. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}

const CHUNK = 4096

/** One character a byte, whatever the encoding of the text is. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += CHUNK) {
    // From a plain array: the elements of a typed one would be taken one by one, which takes twice as long.
    const codes: number[] = []
    const end = Math.min(bytes.length, start + CHUNK)
    for (let i = start; i < end; i++) codes.push(bytes[i] as number)
    text += String.fromCharCode(...codes)
  }
  return text
}

/** The inverse of `latin1`. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
