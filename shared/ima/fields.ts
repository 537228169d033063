/**
 * Template fields of Linux IMA (Documentation/security/IMA-templates.rst), in both shapes in which a list shows them:
 * as the bytes that are hashed, and as the text that the ASCII list prints for them. All functions answer undefined
 * for what the kernel would not have written.
 */
import { fromHex, fromUtf8 } from '../bytes/bytes.ts'
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

export function decodeDigest(bytes: Uint8Array, field: DigestField): ImaDigest | undefined {
  const end = bytes.indexOf(0)
  if (end < 1 || bytes[end - 1] !== COLON) return undefined
  const value = bytes.subarray(end + 1)
  if (value.length === 0 || value.length > MAX_DIGEST_SIZE) return undefined
  const { kind, algorithm } = PREFIXES[field].exec(latin1(bytes.subarray(0, end - 1)))?.groups ?? {}
  if (algorithm === undefined) return undefined
  return { kind: kind === 'verity' ? 'verity' : 'content', algorithm, value }
}

/** `n-ng`: a name with its NUL. */
export function decodeName(bytes: Uint8Array): string | undefined {
  const last = bytes.length - 1
  return last < 0 || bytes.indexOf(0) !== last ? undefined : pathText(bytes.subarray(0, last))
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
export const hexBytes = (text: string): Uint8Array | undefined =>
  text.length % 2 === 0 && /^[0-9a-f]*$/.test(text) ? fromHex(text) : undefined

/** One character a byte, whatever the encoding of the text is. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 4096) {
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(start, start + 4096))
  }
  return text
}

/** The inverse of `latin1`. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
