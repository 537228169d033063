import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { equal } from '../../bytes/bytes.ts'
import { guidBytes } from './guid.ts'

export type SignatureKind = 'certificate' | 'sha256' | 'other'

/** EFI_SIGNATURE_DATA, UEFI 2.10 section 32.4.1. `data` is a view on the list. */
export interface SignatureEntry {
  readonly kind: SignatureKind
  /** GUID of whoever added the entry. */
  readonly owner: Uint8Array
  readonly data: Uint8Array
}

/** Signature types, UEFI 2.10 section 32.4.1. Compared as bytes: a database may be one list for each of its entries. */
const CERT_X509 = guidBytes('a5c059a1-94e4-4aa7-87b5-ab155c2bf072')
const CERT_SHA256 = guidBytes('c1c41626-504c-4092-aca9-41f936934328')

const GUID_SIZE = 16
const LIST_HEADER_SIZE = GUID_SIZE + 12

/** Upper bound for one variable: the public revocation list has some hundred entries. */
const MAX_ENTRIES = 20_000

/**
 * The value of PK, KEK, db or dbx: EFI_SIGNATURE_LISTs one after the other. Empty data is an empty database.
 * Undefined for data that is not exactly that: what firmware made of it cannot be known.
 */
export function parseSignatureLists(value: Uint8Array): readonly SignatureEntry[] | undefined {
  const entries: SignatureEntry[] = []
  const reader = new ByteReader(value, 'little-endian')
  try {
    while (reader.remaining > 0) {
      const kind = kindOf(reader.bytes(GUID_SIZE))
      const listSize = reader.u32()
      const headerSize = reader.u32()
      const entrySize = reader.u32()
      const body = listSize - LIST_HEADER_SIZE - headerSize
      if (body < 0 || entrySize <= GUID_SIZE || body % entrySize !== 0) return undefined
      const count = body / entrySize
      if (count * entrySize > reader.remaining || entries.length + count > MAX_ENTRIES) return undefined
      reader.bytes(headerSize)
      for (let i = 0; i < count; i++) {
        entries.push({ kind, owner: reader.bytes(GUID_SIZE), data: reader.bytes(entrySize - GUID_SIZE) })
      }
    }
    return entries
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

function kindOf(type: Uint8Array): SignatureKind {
  if (equal(type, CERT_X509)) return 'certificate'
  return equal(type, CERT_SHA256) ? 'sha256' : 'other'
}
