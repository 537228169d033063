/** Small helpers over Uint8Array that run alike in Node and in a browser. */

/** Joins byte strings in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Byte-wise equality of public values. Not constant-time: secrets are compared by the caller's crypto library. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Bytewise lexicographic order, as RFC 8949 section 4.2.1 asks of encoded map keys. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const HEX_DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const HEX_CHUNK = 4096

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  // From codes at once: a text that is joined bit by bit has to be joined again wherever it becomes a key.
  let text = ''
  for (let start = 0; start < bytes.length; start += HEX_CHUNK) {
    const codes: number[] = []
    for (const byte of bytes.subarray(start, start + HEX_CHUNK)) {
      codes.push(HEX_DIGITS[byte >> 4] as number, HEX_DIGITS[byte & 15] as number)
    }
    text += String.fromCharCode(...codes)
  }
  return text
}

/** Reads hexadecimal of either case. Throws RangeError on anything else. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError('not hexadecimal')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (nibble(text, i * 2) << 4) | nibble(text, i * 2 + 1)
  return bytes
}

/** Of a digit in `text`: ASCII has the letters behind the digits, upper case and lower case 32 apart. */
function nibble(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** base64url without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += BASE64URL.charAt(group >> 18) + BASE64URL.charAt((group >> 12) & 63)
    if (left > 1) text += BASE64URL.charAt((group >> 6) & 63)
    if (left > 2) text += BASE64URL.charAt(group & 63)
  }
  return text
}

/** Strict base64url without padding: one spelling for each byte string. Throws RangeError on anything else. */
export function fromBase64Url(text: string): Uint8Array {
  if (text.length % 4 === 1) throw new RangeError('not base64url')
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let group = 0
  let bits = 0
  let length = 0
  for (const character of text) {
    const value = BASE64URL.indexOf(character)
    if (value < 0) throw new RangeError('not base64url')
    group = ((group << 6) | value) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (group >> bits) & 0xff
    }
  }
  if ((group & ((1 << bits) - 1)) !== 0) throw new RangeError('not base64url')
  return bytes
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Whether `text` takes at most `limit` bytes. */
export function fitsUtf8(text: string, limit: number): boolean {
  // A code unit takes one byte at least and three at most: few texts have to be encoded to know.
  return text.length * 3 <= limit || (text.length <= limit && utf8(text).length <= limit)
}

/** Throws TypeError on invalid UTF-8: silently replaced characters would let two byte strings read alike. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
