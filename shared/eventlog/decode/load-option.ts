import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { devicePathText } from './device-path.ts'
import { terminatedUtf16 } from './text.ts'

export interface LoadOption {
  readonly active: boolean
  readonly description: string
  readonly devicePath: string | undefined
}

const LOAD_OPTION_ACTIVE = 1

/** EFI_LOAD_OPTION, UEFI 2.10 section 3.1.3: the value of a Boot#### variable. Undefined for other data. */
export function parseLoadOption(value: Uint8Array): LoadOption | undefined {
  const reader = new ByteReader(value, 'little-endian')
  try {
    const attributes = reader.u32()
    const pathSize = reader.u16()
    const description = terminatedUtf16(value.subarray(reader.offset))
    if (description === undefined) return undefined
    reader.bytes(description.size)
    const devicePath = devicePathText(reader.bytes(pathSize))
    return { active: (attributes & LOAD_OPTION_ACTIVE) !== 0, description: description.text, devicePath }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

/** The value of BootOrder: option numbers as in the names of the variables. Undefined for other data. */
export function parseBootOrder(value: Uint8Array): readonly string[] | undefined {
  if (value.length % 2 !== 0) return undefined
  const reader = new ByteReader(value, 'little-endian')
  const order: string[] = []
  while (reader.remaining > 0) order.push(`Boot${reader.u16().toString(16).toUpperCase().padStart(4, '0')}`)
  return order
}
