import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { equal, utf8 } from '../../bytes/bytes.ts'
import { guidName, guidText } from './guid.ts'
import { fixedUtf16 } from './text.ts'

export interface GptPartition {
  readonly type: string
  readonly id: string
  readonly name: string
  /** Logical block addresses, both inclusive. */
  readonly firstBlock: bigint
  readonly lastBlock: bigint
}

export interface Gpt {
  readonly diskId: string
  readonly partitions: readonly GptPartition[]
}

/** UEFI 2.10 table 5.5. */
const SIGNATURE = utf8('EFI PART')
const HEADER_SIZE = 92
const GUID_SIZE = 16
const NAME_SIZE = 72
const ENTRY_SIZE = 2 * GUID_SIZE + 3 * 8 + NAME_SIZE

/** UEFI_GPT_DATA, PFP section 10.2.7: the table's header, then the entries that are in use. Undefined for other data. */
export function parseGpt(data: Uint8Array): Gpt | undefined {
  const reader = new ByteReader(data, 'little-endian')
  try {
    const header = new ByteReader(reader.bytes(HEADER_SIZE), 'little-endian')
    if (!equal(header.bytes(SIGNATURE.length), SIGNATURE)) return undefined
    header.bytes(48)
    const diskId = guidText(header.bytes(GUID_SIZE))
    header.bytes(12)
    const entrySize = header.u32()
    const count = reader.u64()
    if (entrySize < ENTRY_SIZE || count * BigInt(entrySize) > BigInt(reader.remaining)) return undefined
    const partitions: GptPartition[] = []
    for (let i = 0n; i < count; i++) partitions.push(readPartition(reader.bytes(entrySize)))
    return { diskId, partitions }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

/** GPT partition entry, UEFI 2.10 table 5.6. */
function readPartition(entry: Uint8Array): GptPartition {
  const reader = new ByteReader(entry, 'little-endian')
  const type = guidName(guidText(reader.bytes(GUID_SIZE)))
  const id = guidText(reader.bytes(GUID_SIZE))
  const firstBlock = reader.u64()
  const lastBlock = reader.u64()
  reader.u64()
  return { type, id, name: fixedUtf16(reader.bytes(NAME_SIZE)) ?? '', firstBlock, lastBlock }
}
