/**
 * A decoder of deterministic CBOR (RFC 8949 section 4.2.1) that shares nothing with shared/cbor, so that what the
 * CDDL check says of a message does not rest on the code that made it.
 */

export class Tagged {
  readonly tag: bigint
  readonly content: Item

  constructor(tag: bigint, content: Item) {
    this.tag = tag
    this.content = content
  }
}

/** A map as its entries in the order of the wire. */
export class Entries {
  readonly pairs: readonly (readonly [Item, Item])[]

  constructor(pairs: readonly (readonly [Item, Item])[]) {
    this.pairs = pairs
  }
}

export type Item = bigint | string | boolean | null | Uint8Array | readonly Item[] | Entries | Tagged

/** Reads exactly one item. Throws Error for everything else, floats and other simple values included. */
export function decodeItem(bytes: Uint8Array): Item {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  const argument = (info: number): bigint => {
    if (info < 24) return BigInt(info)
    if (info > 27) throw new Error(`additional information ${info}`)
    const size = 1 << (info - 24)
    let value = 0n
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(view.getUint8(at++))
    const least = size === 1 ? 24n : 1n << BigInt(size * 4)
    if (value < least) throw new Error(`${value} in ${size} bytes`)
    return value
  }
  const content = (length: bigint): Uint8Array => {
    if (length > BigInt(bytes.length - at)) throw new Error('a string is longer than the input')
    const start = at
    at += Number(length)
    return bytes.slice(start, at)
  }
  const list = (length: bigint): Item[] => {
    const items: Item[] = []
    for (let i = 0n; i < length; i++) items.push(item())
    return items
  }
  const entries = (length: bigint): Entries => {
    const pairs: [Item, Item][] = []
    let before = ''
    for (let i = 0n; i < length; i++) {
      const start = at
      const key = item()
      const encoded = Buffer.from(bytes.subarray(start, at)).toString('hex')
      if (encoded <= before) throw new Error('map keys out of order')
      before = encoded
      pairs.push([key, item()])
    }
    return new Entries(pairs)
  }
  const item = (): Item => {
    const head = view.getUint8(at++)
    if (head >= 0xf4 && head <= 0xf6) return head === 0xf6 ? null : head === 0xf5
    const major = head >> 5
    if (major === 7) throw new Error(`simple value or float ${head.toString(16)}`)
    const value = argument(head & 0x1f)
    switch (major) {
      case 0:
        return value
      case 1:
        return -1n - value
      case 2:
        return content(value)
      case 3:
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content(value))
      case 4:
        return list(value)
      case 5:
        return entries(value)
      default:
        return new Tagged(value, item())
    }
  }

  const result = item()
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes follow the item`)
  return result
}
