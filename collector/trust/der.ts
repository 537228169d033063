/**
 * A strict reader for DER (ITU-T X.690 chapters 8, 10 and 11): only what X.509 needs. Definite lengths in their
 * shortest form, tag numbers below 31, every byte accounted for. It never recurses: the caller descends where its
 * structure says so, and so decides the depth.
 */
export class DerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DerError'
  }
}

/** Identifier octets, X.690 section 8.1.2. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** [number] of a context-specific type that holds other elements. */
export const contextTag = (number: number): number => 0xa0 | number

/** A view on one element: `bytes` is the whole of it, `content` is what follows its tag and length. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly bytes: Uint8Array
}

export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** The identifier octet of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset]
  }

  next(): DerElement {
    const start = this.#offset
    const tag = this.#octet()
    if ((tag & 0x1f) === 0x1f) throw new DerError('tag number above 30')
    const length = this.#length()
    if (length > this.#bytes.length - this.#offset) throw new DerError('element longer than what holds it')
    const contentStart = this.#offset
    this.#offset += length
    return {
      tag,
      content: this.#bytes.subarray(contentStart, this.#offset),
      bytes: this.#bytes.subarray(start, this.#offset),
    }
  }

  expect(tag: number): DerElement {
    const element = this.next()
    if (element.tag !== tag) throw new DerError(`tag 0x${element.tag.toString(16)} where 0x${tag.toString(16)} belongs`)
    return element
  }

  optional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.next() : undefined
  }

  /** Descends into the content of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.expect(tag).content)
  }

  end(): void {
    if (!this.isAtEnd) throw new DerError(`${this.#bytes.length - this.#offset} bytes too many`)
  }

  #octet(): number {
    const octet = this.#bytes[this.#offset]
    if (octet === undefined) throw new DerError('unexpected end')
    this.#offset++
    return octet
  }

  /** X.690 sections 8.1.3 and 10.1: definite, in the fewest octets. */
  #length(): number {
    const first = this.#octet()
    if (first < 0x80) return first
    const octets = first & 0x7f
    if (octets === 0) throw new DerError('indefinite length')
    if (octets > 4) throw new DerError('length of more than 4 octets')
    let length = 0
    for (let i = 0; i < octets; i++) length = length * 256 + this.#octet()
    if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('length not in its shortest form')
    return length
  }
}

/** Reads the one element of type `tag` that is all of `bytes`. */
export function wholeElement(bytes: Uint8Array, tag: number): DerReader {
  const reader = new DerReader(bytes)
  const content = reader.enter(tag)
  reader.end()
  return content
}

/** All elements up to the end, at most `limit` of them. */
export function elements(reader: DerReader, limit: number): DerElement[] {
  const list: DerElement[] = []
  while (!reader.isAtEnd) {
    if (list.length === limit) throw new DerError(`more than ${limit} elements`)
    list.push(reader.next())
  }
  return list
}
