/**
 * The CBOR data model of the wire: the part of RFC 8949 that Keepseal messages use. No floats, no `undefined`, no
 * other simple values, no bignums.
 */

/** Map keys. Integers are safe integers: a key is a registered label, never a quantity. */
export type CborKey = number | string

export type CborMap = ReadonlyMap<CborKey, CborValue>

/**
 * An integer is a `number` where that is exact (Number.isSafeInteger) and a `bigint` beyond, from -2^64 + 1 to
 * 2^64 - 1. -2^64 itself is outside: the codec would write it as a bignum, a second spelling of an integer.
 * A text string never begins with U+FEFF (RFC 3629 section 6: some decoders drop it, others keep it).
 */
export type CborValue =
  number | bigint | string | boolean | null | Uint8Array | readonly CborValue[] | CborMap | CborTag

/** A tagged item (RFC 8949 section 3.4). */
export class CborTag {
  readonly tag: number
  readonly value: CborValue

  constructor(tag: number, value: CborValue) {
    this.tag = tag
    this.value = value
  }
}

/**
 * The tags that the wire uses: COSE_Encrypt0, COSE_Mac0, COSE_Sign1 (RFC 9052 section 2). The set is closed on
 * purpose. cbor-x gives many other numbers a meaning of its own when it decodes: 27 builds a RegExp, 28 and 29 link
 * items to each other, 57337 and up define record types that outlive the message.
 */
export const WIRE_TAGS: ReadonlySet<number> = new Set([16, 17, 18])
