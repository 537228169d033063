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
  // Firmware may write a list for each entry: a reader with views on every field would cost more than their content.
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  for (let start = 0; start < value.length;) {
    if (value.length - start < LIST_HEADER_SIZE) return undefined
    const end = start + view.getUint32(start + GUID_SIZE, true)
    const entriesStart = start + LIST_HEADER_SIZE + view.getUint32(start + GUID_SIZE + 4, true)
    const entrySize = view.getUint32(start + GUID_SIZE + 8, true)
    const size = end - entriesStart
    if (end > value.length || size < 0) return undefined
    // Firmware that removed the last entry may leave the list, with any size for the entries that it does not have.
    if (size > 0) {
      if (entrySize <= GUID_SIZE || size % entrySize !== 0) return undefined
      const entries = value.subarray(entriesStart, end)
      lists.push({ kind: kindOf(value, start), count: size / entrySize, entrySize, entries })
    }
    start = end
  }
  return lists
}

/** The signatures of a list, without their owners. */
export function* signaturesOf({ count, entrySize, entries }: SignatureList): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield entries.subarray(i * entrySize + GUID_SIZE, (i + 1) * entrySize)
}

/** How many entries of a kind the lists have together. */
export const countOf = (lists: readonly SignatureList[], kind?: SignatureKind): number =>
  lists.reduce((sum, list) => sum + (kind === undefined || list.kind === kind ? list.count : 0), 0)

function kindOf(value: Uint8Array, start: number): SignatureKind {
  if (hasType(value, start, CERT_SHA256)) return 'sha256'
  return hasType(value, start, CERT_X509) ? 'certificate' : 'other'
}

function hasType(value: Uint8Array, start: number, type: Uint8Array): boolean {
  for (let i = 0; i < GUID_SIZE; i++) if (value[start + i] !== type[i]) return false
  return true
}
