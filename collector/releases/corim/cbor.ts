import { KeepsealError } from '../../../shared/errors.ts'

/**
 * CBOR as CoRIM files hold it: made by other people's tools, so that map keys come in any order and tags are many. No
 * message of ours is read by this. Only definite lengths; no floats; nothing twice.
 */
export type CorimItem = number | bigint | string | boolean | null | Uint8Array | CorimArray | CorimMap | CorimTag
export type CorimArray = readonly CorimItem[]
export type CorimMap = ReadonlyMap<number | string, CorimItem>
export class CorimTag {
  readonly tag: number
  readonly value: CorimItem

  constructor(tag: number, value: CorimItem) {
    this.tag = tag
    this.value = value
  }
}

const MAX_DEPTH = 24
const MAX_ITEMS = 100_000

/** Throws KeepsealError `release.invalid`, which names the byte. `name`: what is read, for the message. */
export function readCorimCbor(bytes: Uint8Array, name: string): CorimItem {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  let items = 0
  const refuse = (reason: string, at = offset): never => {
    throw new KeepsealError('release.invalid', `${name}, byte ${at}: ${reason}`)
  }

  function argumentOf(info: number, start: number): number {
    if (info < 24) return info
    if (info > 27) return refuse('an item without a definite length, or reserved', start)
    const size = 1 << (info - 24)
    if (offset + size > bytes.length) refuse('the file ends within an item', start)
    const at = offset
    offset += size
    if (size === 8) return Number(view.getBigUint64(at))
    return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
  }

  function read(depth: number): CorimItem {
    const start = offset
    if (depth > MAX_DEPTH) refuse('items are nested too deeply', start)
    if (++items > MAX_ITEMS) refuse('too many items', start)
    if (offset >= bytes.length) refuse('the file ends within an item', start)
    const head = view.getUint8(offset++)
    const [major, info] = [head >> 5, head & 0x1f]
    if (major === 7) {
      if (info === 20 || info === 21) return info === 21
      return info === 22 ? null : refuse('an item of a type that is not read here', start)
    }
    const argument = argumentOf(info, start)
    if (!Number.isSafeInteger(argument)) refuse('a number that is too large', start)
    if (major === 0) return argument
    if (major === 1) return -1 - argument
    if (major === 6) return new CorimTag(argument, read(depth + 1))
    // Each byte or item takes a byte at least: what is announced beyond the file can never come.
    if (argument > bytes.length - offset) refuse('a length beyond the end of the file', start)
    if (major === 2 || major === 3) {
      const content = bytes.slice(offset, offset + argument)
      offset += argument
      return major === 2 ? content : textOf(content, start)
    }
    if (major === 4) return Array.from({ length: argument }, () => read(depth + 1))
    const map = new Map<number | string, CorimItem>()
    for (let i = 0; i < argument; i++) {
      const at = offset
      const key = read(depth + 1)
      if (typeof key !== 'number' && typeof key !== 'string') return refuse('a map key that is no integer or text', at)
      if (map.has(key)) refuse(`the key ${key} is there twice`, at)
      map.set(key, read(depth + 1))
    }
    return map
  }

  function textOf(content: Uint8Array, start: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(content)
    } catch {
      return refuse('a text that is not UTF-8', start)
    }
  }

  const item = read(0)
  if (offset !== bytes.length) refuse('something follows the item')
  return item
}
