import { fromHex, toHex } from '../bytes/bytes.ts'

/**
 * Universal Entity ID (RFC 9711 section 4.2.1), type 0x01 RAND with 128 random bits, written as 34 lower-case
 * hexadecimal digits. It is the device's name in topics, certificates (CN), MQTT client ids and the API.
 */
export type Ueid = string & { readonly __brand: 'Ueid' }

const UEID = /^01[0-9a-f]{32}$/

export function isUeid(text: string): text is Ueid {
  return UEID.test(text)
}

/** `entropy`: 16 random bytes. */
export function makeUeid(entropy: Uint8Array): Ueid {
  if (entropy.length !== 16) throw new RangeError('a UEID takes 16 random bytes')
  return `01${toHex(entropy)}` as Ueid
}

export function ueidBytes(ueid: Ueid): Uint8Array {
  return fromHex(ueid)
}

/** The UEID of its 17-byte claim form, or undefined when the bytes are no UEID of type RAND. */
export function ueidFromBytes(bytes: Uint8Array): Ueid | undefined {
  const text = toHex(bytes)
  return isUeid(text) ? text : undefined
}
