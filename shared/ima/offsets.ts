import { ByteRangeError, ByteReader, type ByteOrder } from '../bytes/reader.ts'
import { HASH_SIZE } from '../crypto/crypto.ts'
import { LEGACY_NAME_MAX, MAX_ENTRIES, MAX_TEMPLATE_NAME } from './constants.ts'
import { latin1 } from './fields.ts'
import { LEGACY_TEMPLATE } from './template.ts'

/**
 * Where each whole entry of binary_runtime_measurements ends, in bytes from the start: for cutting a list into parts
 * that begin and end with whole entries. Only the framing is read (ima_measurements_show of
 * security/integrity/ima/ima_fs.c), so that templates that nobody knows have ends too. What follows the last end is
 * no whole entry.
 */
export function entryEnds(bytes: Uint8Array, byteOrder: ByteOrder = 'little-endian'): readonly number[] {
  const reader = new ByteReader(bytes, byteOrder)
  const ends: number[] = []
  try {
    while (reader.remaining > 0 && ends.length < MAX_ENTRIES) {
      if (!skipEntry(reader)) break
      ends.push(bytes.length - reader.remaining)
    }
  } catch (error) {
    if (!(error instanceof ByteRangeError)) throw error
  }
  return ends
}

/** False for a length that no kernel writes. */
function skipEntry(reader: ByteReader): boolean {
  reader.bytes(4 + HASH_SIZE.sha1)
  const nameSize = reader.u32()
  if (nameSize > MAX_TEMPLATE_NAME) return false
  if (latin1(reader.bytes(nameSize)) !== LEGACY_TEMPLATE) {
    reader.bytes(reader.u32())
    return true
  }
  reader.bytes(HASH_SIZE.sha1)
  const size = reader.u32()
  if (size > LEGACY_NAME_MAX) return false
  reader.bytes(size)
  return true
}
