import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { devicePathText } from './device-path.ts'
import { anyText } from './text.ts'

/** Small structures of PFP section 10.2. Each function answers undefined for data that is not the structure. */

function optional<T>(data: Uint8Array, read: (reader: ByteReader) => T | undefined): T | undefined {
  try {
    return read(new ByteReader(data, 'little-endian'))
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

/** UEFI_IMAGE_LOAD_EVENT, section 10.2.3: where an image came from. Its digest covers the image, none of this. */
export function imageDevicePath(data: Uint8Array): string | undefined {
  return optional(data, (reader) => {
    reader.bytes(24)
    const size = reader.u64()
    return size > BigInt(reader.remaining) ? undefined : devicePathText(reader.bytes(Number(size)))
  })
}

export interface FirmwareBlob {
  readonly description?: string
  readonly base: bigint
  readonly length: bigint
}

/** UEFI_PLATFORM_FIRMWARE_BLOB, section 10.2.4: exactly two 64-bit numbers. */
export function parseFirmwareBlob(data: Uint8Array): FirmwareBlob | undefined {
  return data.length === 16 ? optional(data, (reader) => ({ base: reader.u64(), length: reader.u64() })) : undefined
}

/** UEFI_PLATFORM_FIRMWARE_BLOB2, section 10.2.5: the same behind a description of one length byte. */
export function parseFirmwareBlob2(data: Uint8Array): FirmwareBlob | undefined {
  return optional(data, (reader) => {
    const description = anyText(reader.bytes(reader.u8())) ?? ''
    return { description, base: reader.u64(), length: reader.u64() }
  })
}

export interface TaggedEvent {
  readonly id: number
  readonly text: string | undefined
  readonly data: Uint8Array
}

/** TCG_PCClientTaggedEvent, section 10.2.9. */
export function parseTaggedEvent(data: Uint8Array): TaggedEvent | undefined {
  return optional(data, (reader) => {
    const id = reader.u32()
    const data = reader.bytes(reader.u32())
    return { id, text: anyText(data), data }
  })
}
