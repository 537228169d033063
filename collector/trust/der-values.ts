import { DerError, TAG, type DerElement } from './der.ts'

/** The values of primitive DER elements (X.690 chapters 8 and 11). Each throws DerError when the content is not canonical. */

/** X.690 section 11.1: TRUE is all ones. */
export function booleanOf(element: DerElement): boolean {
  const value = element.content[0]
  if (element.tag !== TAG.boolean || element.content.length !== 1 || (value !== 0 && value !== 0xff)) {
    throw new DerError('not a boolean')
  }
  return value === 0xff
}

/** A non-negative INTEGER as its big-endian magnitude, without leading zeros (X.690 section 8.3.2). */
export function magnitudeOf(element: DerElement): Uint8Array {
  const { content } = element
  const [first, second] = content
  if (element.tag !== TAG.integer || first === undefined) throw new DerError('not an integer')
  if (first >= 0x80) throw new DerError('negative integer')
  if (first !== 0 || second === undefined) return content
  if (second < 0x80) throw new DerError('integer not in its shortest form')
  return content.subarray(1)
}

/** A non-negative INTEGER below 2^31. */
export function smallIntegerOf(element: DerElement): number {
  const magnitude = magnitudeOf(element)
  if (magnitude.length > 4) throw new DerError('integer too large')
  const value = magnitude.reduce((sum, octet) => sum * 256 + octet, 0)
  if (value >= 2 ** 31) throw new DerError('integer too large')
  return value
}

const MAX_OID_OCTETS = 64

/** Dotted decimal of an OBJECT IDENTIFIER (X.690 section 8.19). */
export function objectIdentifierOf(element: DerElement): string {
  const { content } = element
  if (element.tag !== TAG.objectIdentifier || content.length === 0 || content.length > MAX_OID_OCTETS) {
    throw new DerError('not an object identifier')
  }
  const arcs: number[] = []
  let arc = 0
  let pending = false
  for (const octet of content) {
    if (!pending && octet === 0x80) throw new DerError('object identifier not in its shortest form')
    arc = arc * 128 + (octet & 0x7f)
    if (!Number.isSafeInteger(arc)) throw new DerError('object identifier too large')
    pending = (octet & 0x80) !== 0
    if (pending) continue
    arcs.push(arc)
    arc = 0
  }
  if (pending) throw new DerError('object identifier ends early')
  const [joined = 0, ...rest] = arcs
  const first = Math.min(Math.floor(joined / 40), 2)
  return [first, joined - first * 40, ...rest].join('.')
}

/** A BIT STRING of whole octets: keys and signatures. */
export function octetsOfBitString(element: DerElement): Uint8Array {
  if (element.tag !== TAG.bitString || element.content[0] !== 0) throw new DerError('not a bit string of whole octets')
  return element.content.subarray(1)
}

/** A named-bit list such as KeyUsage: the numbers of the set bits, at most 16 of them (X.690 section 11.2.2). */
export function namedBitsOf(element: DerElement): ReadonlySet<number> {
  const [unused, ...octets] = element.content
  if (element.tag !== TAG.bitString || unused === undefined || unused > 7 || octets.length > 2) {
    throw new DerError('not a list of bits')
  }
  const bits = new Set<number>()
  for (let bit = 0; bit < octets.length * 8; bit++) {
    if (((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) bits.add(bit)
  }
  const last = octets.length * 8 - unused - 1
  if (octets.length === 0 ? unused !== 0 : !bits.has(last) || Math.max(...bits) !== last) {
    throw new DerError('list of bits not in its shortest form')
  }
  return bits
}

const PRINTABLE = /^[\x20-\x7e]*$/

/** Text of a DirectoryString or IA5String that is printable ASCII: it ends up in logs and pages. */
export function printableTextOf(element: DerElement): string {
  const { tag, content } = element
  if (tag !== TAG.utf8String && tag !== TAG.printableString && tag !== TAG.ia5String) throw new DerError('not a text')
  const text = String.fromCharCode(...content.subarray(0, 257))
  if (content.length > 256 || !PRINTABLE.test(text)) throw new DerError('text too long or not printable')
  return text
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** Time as RFC 5280 section 4.1.2.5 restricts it, in milliseconds since 1970. */
export function timeOf(element: DerElement): number {
  const text = String.fromCharCode(...element.content.subarray(0, 16))
  const pattern = element.tag === TAG.utcTime ? UTC_TIME : element.tag === TAG.generalizedTime ? GENERALIZED_TIME : null
  const match = element.content.length > 15 ? null : pattern?.exec(text)
  if (match === null || match === undefined) throw new DerError('not a time')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const fullYear = element.tag === TAG.generalizedTime ? year : year < 50 ? 2000 + year : 1900 + year
  const time = new Date(0)
  time.setUTCFullYear(fullYear, month - 1, day)
  time.setUTCHours(hour, minute, second)
  // Date carries 31 February over into March: what does not read back the same was no date.
  const same = time.getUTCMonth() === month - 1 && time.getUTCDate() === day && time.getUTCHours() === hour
  if (!same || time.getUTCMinutes() !== minute || time.getUTCSeconds() !== second) throw new DerError('not a time')
  return time.getTime()
}
