import type { OutcomeCode } from '../codes/outcomes.ts'
import { OutcomeError } from '../errors.ts'
import { findInvalidUtf8 } from './utf8.ts'
import { WIRE_TAGS } from './value.ts'

/** Bounds on one encoded item. */
export interface CborLimits {
  /** Length of the whole encoding. */
  readonly maxBytes: number
  /** Arrays, maps and tags that may be open at once. The decoder recurses this deep: keep it below a few hundred. */
  readonly maxDepth: number
  /** Data items of any type, map keys and the outermost item included. */
  readonly maxItems: number
}

export const DEFAULT_CBOR_LIMITS: CborLimits = { maxBytes: 65_536, maxDepth: 16, maxItems: 4096 }

/** An array, a map or a tag whose content is being scanned. */
interface Container {
  /** Items still to come; an entry of a map is two. */
  left: number
  readonly isMap: boolean
  /** The encoded bytes of the key before, in a map. Empty before the first key. */
  keyStart: number
  keyEnd: number
}

const UINT = 0
const NINT = 1
const BSTR = 2
const TSTR = 3
const ARRAY = 4
const MAP = 5
const TAG = 6

/** The smallest value that needs an argument of 1, 2, 4, 8 bytes (RFC 8949 section 4.2.1). */
const SMALLEST: readonly number[] = [24, 0x100, 0x10000, 0x1_0000_0000]

function fail(code: OutcomeCode, offset: number): never {
  throw new OutcomeError(code, `at byte ${offset}`)
}

/**
 * Accepts exactly one item in the deterministic encoding of RFC 8949 section 4.2.1, of the types in ./value.ts,
 * within `limits`. It runs before the decoder, which trusts declared lengths and takes many spellings of a value.
 * Iterates instead of recursing, and allocates nothing by a declared length.
 * Throws OutcomeError with a `cbor.*` code; the detail names the byte.
 */
export function scanCbor(bytes: Uint8Array, limits: CborLimits = DEFAULT_CBOR_LIMITS): void {
  const length = bytes.length
  if (length > limits.maxBytes) fail('cbor.too-large', limits.maxBytes)
  const parents: Container[] = []
  let current: Container = { left: 1, isMap: false, keyStart: 0, keyEnd: 0 }
  let announced = 1
  let offset = 0

  for (;;) {
    while (current.left === 0) {
      const parent = parents.pop()
      if (parent === undefined) {
        if (offset !== length) fail('cbor.trailing-bytes', offset)
        return
      }
      current = parent
    }
    if (offset >= length) fail('cbor.truncated', offset)
    const start = offset
    const head = bytes[offset++] as number
    const major = head >> 5
    const info = head & 0x1f
    current.left--
    // A map holds an even number of items, so a key leaves an odd number behind it.
    const isKey = current.isMap && (current.left & 1) === 1
    if (isKey && major !== UINT && major !== NINT && major !== TSTR) fail('cbor.unsupported-type', start)

    let argument = info
    if (major > TAG) {
      if (head === 0xff) fail('cbor.indefinite-length', start)
      if (head < 0xf4 || head > 0xf6) fail('cbor.unsupported-type', start)
    } else if (info >= 24) {
      if (info > 27)
        fail(info === 31 && major >= BSTR && major <= MAP ? 'cbor.indefinite-length' : 'cbor.unsupported-type', start)
      const end = offset + (1 << (info - 24))
      if (end > length) fail('cbor.truncated', start)
      // Inexact above 2^53, which is then still above every length, key and tag that is allowed.
      argument = 0
      while (offset < end) argument = argument * 256 + (bytes[offset++] as number)
      if (argument < (SMALLEST[info - 24] as number)) fail('cbor.non-minimal', start)
    }

    switch (major) {
      case UINT:
        if (isKey && argument > Number.MAX_SAFE_INTEGER) fail('cbor.unsupported-type', start)
        break
      case NINT:
        if (isKey && argument >= Number.MAX_SAFE_INTEGER) fail('cbor.unsupported-type', start)
        if (info === 27 && isAllOnes(bytes, start + 1, offset)) fail('cbor.unsupported-type', start)
        break
      case BSTR:
      case TSTR:
        if (argument > length - offset) fail('cbor.length-exceeds-input', start)
        if (major === TSTR) checkText(bytes, offset, offset + argument)
        offset += argument
        break
      case ARRAY:
      case MAP:
      case TAG: {
        const count = major === TAG ? 1 : major === MAP ? 2 * argument : argument
        if (major === TAG && !WIRE_TAGS.has(argument)) fail('cbor.unsupported-type', start)
        // Every item takes a byte at least: a count beyond the bytes that are left can never be met.
        if (major !== TAG && count > length - offset) fail('cbor.length-exceeds-input', start)
        announced += count
        if (announced > limits.maxItems) fail('cbor.too-many-items', start)
        if (parents.length >= limits.maxDepth) fail('cbor.too-deep', start)
        parents.push(current)
        current = { left: count, isMap: major === MAP, keyStart: 0, keyEnd: 0 }
        break
      }
      default:
        break
    }
    if (isKey) checkKeyOrder(bytes, current, start, offset)
  }
}

function isAllOnes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0xff) return false
  return true
}

function checkText(bytes: Uint8Array, start: number, end: number): void {
  const invalid = findInvalidUtf8(bytes, start, end)
  if (invalid >= 0) fail('cbor.invalid-utf8', invalid)
  const hasByteOrderMark =
    end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
  if (hasByteOrderMark) fail('cbor.invalid-utf8', start)
}

/** Keys stand in the bytewise order of their encodings (RFC 8949 section 4.2.1), which also makes twins neighbours. */
function checkKeyOrder(bytes: Uint8Array, map: Container, start: number, end: number): void {
  const shared = Math.min(map.keyEnd - map.keyStart, end - start)
  let i = 0
  while (i < shared && bytes[map.keyStart + i] === bytes[start + i]) i++
  // No encoding is a prefix of another, so two keys that agree as far as the shorter one goes are the same key.
  if (shared > 0) {
    if (i === shared) fail('cbor.duplicate-key', start)
    if ((bytes[map.keyStart + i] as number) > (bytes[start + i] as number)) fail('cbor.unsorted-keys', start)
  }
  map.keyStart = start
  map.keyEnd = end
}
