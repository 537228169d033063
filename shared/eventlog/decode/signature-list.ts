import { equal } from '../../bytes/bytes.ts'
import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { guidBytes } from './guid.ts'

export type SignatureKind = 'certificate' | 'sha256' | 'other'

/** EFI_SIGNATURE_LIST, UEFI 2.10 section 32.4.1, with its entries side by side as they stand in the variable. */
export interface SignatureList {
  readonly kind: SignatureKind
  readonly count: number
  /** Bytes of an entry: the owner's GUID, then the signature. */
  readonly entrySize: number
  readonly entries: Uint8Array
}

/** Signature types. Compared as bytes: a database may have one list for each of its entries. */
const CERT_X509 = guidBytes('a5c059a1-94e4-4aa7-87b5-ab155c2bf072')
const CERT_SHA256 = guidBytes('c1c41626-504c-4092-aca9-41f936934328')

const GUID_SIZE = 16
const LIST_HEADER_SIZE = GUID_SIZE + 12

/**
 * The value of PK, KEK, db or dbx: signature lists one after the other. Empty data is an empty database. Undefined for
 * data that is not exactly that: what firmware made of it cannot be known.
 */
export function parseSignatureLists(value: Uint8Array): readonly SignatureList[] | undefined {
  const lists: SignatureList[] = []
  const reader = new ByteReader(value, 'little-endian')
  try {
    while (reader.remaining > 0) {
      const kind = kindOf(reader.bytes(GUID_SIZE))
      const listSize = reader.u32()
      const headerSize = reader.u32()
      const entrySize = reader.u32()
      const size = listSize - LIST_HEADER_SIZE - headerSize
      reader.bytes(headerSize)
      // Firmware that removed the last entry may leave the list, with any size for the entries that it does not have.
      if (size === 0) continue
      if (size < 0 || entrySize <= GUID_SIZE || size % entrySize !== 0) return undefined
      lists.push({ kind, count: size / entrySize, entrySize, entries: reader.bytes(size) })
    }
    return lists
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

/** The signatures of a list, without their owners. */
export function* signaturesOf({ count, entrySize, entries }: SignatureList): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield entries.subarray(i * entrySize + GUID_SIZE, (i + 1) * entrySize)
}

/** How many entries of a kind the lists have together. */
export const countOf = (lists: readonly SignatureList[], kind?: SignatureKind): number =>
  lists.reduce((sum, list) => sum + (kind === undefined || list.kind === kind ? list.count : 0), 0)

function kindOf(type: Uint8Array): SignatureKind {
  if (equal(type, CERT_X509)) return 'certificate'
  return equal(type, CERT_SHA256) ? 'sha256' : 'other'
}
