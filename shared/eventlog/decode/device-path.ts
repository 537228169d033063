import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { NODES } from './device-path-nodes.ts'

/** UEFI 2.10 section 10.3: a row of nodes of type, subtype, length and data, ended by an end node. */
const HEADER_SIZE = 4
const END = 0x7f
const END_OF_INSTANCE = 1

/** A path of more nodes than any real one: the rest is shown as an ellipsis. */
const MAX_NODES = 64

/** Text of a device path for people, and never more than that. Undefined for bytes that are not a device path. */
export function devicePathText(path: Uint8Array): string | undefined {
  const reader = new ByteReader(path, 'little-endian')
  let text = ''
  let delimiter = ''
  let nodes = 0
  try {
    while (reader.remaining > 0) {
      const type = reader.u8()
      const subtype = reader.u8()
      const length = reader.u16()
      if (length < HEADER_SIZE) return undefined
      const data = reader.bytes(length - HEADER_SIZE)
      if (type === END && subtype !== END_OF_INSTANCE) break
      if (nodes++ === MAX_NODES) return `${text}/…`
      if (type === END) {
        // A console may be several devices at once: another path follows.
        if (nodes > 1) delimiter = ','
        continue
      }
      text += `${delimiter}${nodeText((type << 8) | subtype, data)}`
      delimiter = '/'
    }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
  return text === '' ? undefined : text
}

function nodeText(kind: number, data: Uint8Array): string {
  const unknown = `Path(${kind >> 8},${kind & 0xff})`
  try {
    return NODES.get(kind)?.(new ByteReader(data, 'little-endian'), data) ?? unknown
  } catch (error) {
    // A node too short for its kind is shown as one of no known kind.
    if (error instanceof ByteRangeError) return unknown
    throw error
  }
}
