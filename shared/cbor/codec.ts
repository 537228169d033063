// The subpaths leave out cbor-x's native string reader: no compiled code sees hostile bytes, and Node and browsers
// run the same code.
import { Tag } from 'cbor-x/decode'
import { Encoder } from 'cbor-x/encode'
import { compare, utf8 } from '../bytes/bytes.ts'
import { KeepsealError } from '../errors.ts'
import { DEFAULT_CBOR_LIMITS, scanCbor, type CborLimits } from './scan.ts'
import { CborTag, WIRE_TAGS, type CborKey, type CborMap, type CborValue } from './value.ts'

/**
 * The one cbor-x instance. Plain CBOR: no records, no typed-array tags, maps as Map (so that a key like `__proto__`
 * is a key and nothing else). What it does not do by itself (key order, integers above 32 bits, refusing what the
 * wire cannot carry) is done to the value beforehand; what it accepts too much is refused by the scanner.
 */
const codec: { encode(value: unknown, mode: number): Uint8Array; decode(bytes: Uint8Array): unknown } = new Encoder({
  useRecords: false,
  mapsAsObjects: false,
  tagUint8Array: false,
  variableMapSize: true,
})

/** Of cbor-x, which does not export it: write at the same place of the pool each time. */
const RESET_BUFFER_MODE = 1024

/**
 * The deterministic encoding (RFC 8949 section 4.2.1) of `value`, in memory of its own. Entries of a map may come in
 * any order. Throws KeepsealError `internal.failure` for what ./value.ts excludes: that is the caller's mistake.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  // cbor-x answers with a view on its pool.
  return new Uint8Array(codec.encode(toCodec(value), RESET_BUFFER_MODE))
}

/**
 * Decodes one item that the scanner accepts. Byte strings are plain Uint8Array views on `bytes` (copy them to keep
 * them longer than the message); maps are Maps in the order of the wire. Throws OutcomeError with a `cbor.*` code.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits = DEFAULT_CBOR_LIMITS): CborValue {
  scanCbor(bytes, limits)
  // A view of our own: cbor-x leaves a property on its input, and a Buffer's views would be Buffers.
  return fromCodec(codec.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
}

function unencodable(what: string): never {
  throw new KeepsealError('internal.failure', `CBOR cannot carry ${what}`)
}

function toCodec(value: CborValue): unknown {
  switch (typeof value) {
    case 'number':
      if (!Number.isSafeInteger(value)) unencodable(`the number ${value}`)
      // As numbers, cbor-x would write these as floats.
      return value > 0xffff_ffff || value < -0x1_0000_0000 ? BigInt(value) : value
    case 'bigint':
      // As bigint, cbor-x always writes eight bytes.
      if (Number.isSafeInteger(Number(value))) return toCodec(Number(value))
      if (value >= 1n << 64n || value <= -(1n << 64n)) unencodable('an integer of more than 64 bits')
      return value
    case 'string':
      return encodableText(value)
    case 'boolean':
      return value
    default:
      break
  }
  if (value === null || value instanceof Uint8Array) return value
  if (value instanceof CborTag) {
    if (!WIRE_TAGS.has(value.tag)) unencodable(`tag ${value.tag}`)
    return new Tag(toCodec(value.value), value.tag)
  }
  if (value instanceof Map) return sortedMap(value)
  if (Array.isArray(value)) return value.map(toCodec)
  return unencodable(`a value of type ${typeof value}`)
}

function encodableText(text: string): string {
  if (text.startsWith('\ufeff')) unencodable('text with a byte order mark')
  // With the u flag this matches surrogates without their partner alone; they have no UTF-8 form.
  if (/\p{Surrogate}/u.test(text)) unencodable('text with half a surrogate pair')
  return text
}

/** Unsigned before negative before text, each by the magnitude or length in its head, then by content. */
function sortedMap(map: ReadonlyMap<CborKey, CborValue>): Map<unknown, unknown> {
  const integers: number[] = []
  const texts: { text: string; encoded: Uint8Array }[] = []
  for (const key of map.keys()) {
    if (typeof key === 'number') integers.push(key)
    else if (typeof key === 'string') texts.push({ text: key, encoded: utf8(key) })
    else unencodable(`a map key of type ${typeof key}`)
  }
  integers.sort((a, b) => (a < 0 === b < 0 ? Math.abs(a) - Math.abs(b) : b - a))
  texts.sort((a, b) => a.encoded.length - b.encoded.length || compare(a.encoded, b.encoded))
  const sorted = new Map<unknown, unknown>()
  for (const key of [...integers, ...texts.map(({ text }) => text)]) {
    sorted.set(toCodec(key), toCodec(map.get(key) as CborValue))
  }
  return sorted
}

/**
 * Undoes what cbor-x does differently from ./value.ts: 64-bit arguments as bigint, tags in a class of its own. What
 * needs no change stays the object that was decoded.
 */
function fromCodec(value: unknown): CborValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as CborValue
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = fromCodec(value[i])
    return value as CborValue[]
  }
  if (value instanceof Tag) return new CborTag(value.tag, fromCodec(value.value))
  return fromCodecMap(value as Map<unknown, unknown>)
}

function fromCodecMap(map: Map<unknown, unknown>): CborMap {
  let hasLongKey = false
  for (const [key, item] of map) {
    const converted = fromCodec(item)
    if (converted !== item) map.set(key, converted)
    if (typeof key === 'bigint') hasLongKey = true
  }
  if (!hasLongKey) return map as Map<CborKey, CborValue>
  return new Map([...map].map(([key, item]) => [fromCodec(key) as CborKey, item as CborValue]))
}
