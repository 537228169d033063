import { ByteReader, type ByteOrder } from '../bytes/reader.ts'
import { HASH_SIZE, type HashAlgorithm } from '../crypto/crypto.ts'
import { MAX_TEMPLATE_NAME } from './constants.ts'
import { latin1 } from './fields.ts'
import { fieldsOfTemplate, LEGACY_TEMPLATE } from './template.ts'

export type ImaFormat =
  | { readonly format: 'ascii' }
  | { readonly format: 'binary'; readonly byteOrder: ByteOrder; readonly templateHash: HashAlgorithm }

const ORDERS: readonly ByteOrder[] = ['little-endian', 'big-endian']

/**
 * Which of the kernel's files a list comes from, for people who give a file without saying. Of a PCR index in binary
 * three bytes are zero, which text never has. Order and hash are those under which the first entry has a known
 * template; the usual ones where there are none, so that the parser says what is wrong.
 */
export function detectImaFormat(bytes: Uint8Array): ImaFormat {
  if (!bytes.subarray(0, 4).includes(0)) return { format: 'ascii' }
  for (const byteOrder of ORDERS) {
    for (const templateHash of Object.keys(HASH_SIZE) as HashAlgorithm[]) {
      if (hasKnownTemplate(bytes, byteOrder, HASH_SIZE[templateHash]))
        return { format: 'binary', byteOrder, templateHash }
    }
  }
  return { format: 'binary', byteOrder: 'little-endian', templateHash: 'sha1' }
}

function hasKnownTemplate(bytes: Uint8Array, order: ByteOrder, digestSize: number): boolean {
  const headerSize = 4 + digestSize + 4
  if (bytes.length < headerSize) return false
  const reader = new ByteReader(bytes, order)
  reader.bytes(4 + digestSize)
  const size = reader.u32()
  if (size > MAX_TEMPLATE_NAME || size > reader.remaining) return false
  const name = latin1(reader.bytes(size))
  return name === LEGACY_TEMPLATE || fieldsOfTemplate(name) !== undefined
}
