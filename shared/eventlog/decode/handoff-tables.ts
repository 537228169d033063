import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { guidName, guidText } from './guid.ts'
import { anyText } from './text.ts'

/** Firmware hands out ten to twenty tables. */
const MAX_TABLES = 256

/**
 * UEFI_HANDOFF_TABLE_POINTERS, PFP section 10.2.7: which tables were measured, by vendor GUID and address. Undefined for
 * data that is not exactly that.
 */
export const handoffTables = (data: Uint8Array): readonly string[] | undefined => read(data, false)?.tables

/** UEFI_HANDOFF_TABLE_POINTERS2, section 10.2.8: the same behind a description of one length byte. */
export const describedHandoffTables = (
  data: Uint8Array,
): { readonly description: string; readonly tables: readonly string[] } | undefined => read(data, true)

function read(data: Uint8Array, described: boolean) {
  const reader = new ByteReader(data, 'little-endian')
  try {
    const description = described ? (anyText(reader.bytes(reader.u8())) ?? '') : ''
    const count = reader.u64()
    if (count > MAX_TABLES) return undefined
    const tables: string[] = []
    for (let i = 0n; i < count; i++) {
      tables.push(guidName(guidText(reader.bytes(16))))
      reader.u64()
    }
    reader.end()
    return { description, tables }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}
