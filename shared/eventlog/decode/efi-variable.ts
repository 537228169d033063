import { utf16Text } from './text.ts'

/** UEFI_VARIABLE_DATA, PFP section 10.2.6, without the bytes that may follow it. */
export interface EfiVariable {
  /** VariableName of the structure, which is the vendor's GUID. */
  readonly vendor: Uint8Array
  readonly name: string
  readonly value: Uint8Array
  /** Bytes of the structure. */
  readonly size: number
}

const HEADER_SIZE = 32

interface Layout {
  readonly nameSize: number
  readonly valueSize: number
}

/** Sizes of the two variable parts, checked against the data; undefined if it cannot hold them. */
function layoutOf(data: Uint8Array): Layout | undefined {
  if (data.length < HEADER_SIZE) return undefined
  const view = new DataView(data.buffer, data.byteOffset, HEADER_SIZE)
  const characters = view.getBigUint64(16, true)
  const value = view.getBigUint64(24, true)
  const left = BigInt(data.length - HEADER_SIZE)
  if (characters * 2n > left || value > left - characters * 2n) return undefined
  return { nameSize: Number(characters) * 2, valueSize: Number(value) }
}

/** Bytes that the structure takes, or undefined for data that does not hold one. */
export function variableSize(data: Uint8Array): number | undefined {
  const layout = layoutOf(data)
  return layout === undefined ? undefined : HEADER_SIZE + layout.nameSize + layout.valueSize
}

/** The bytes of VariableData, or undefined for data that does not hold a structure. */
export function variableValue(data: Uint8Array): Uint8Array | undefined {
  const layout = layoutOf(data)
  if (layout === undefined) return undefined
  const start = HEADER_SIZE + layout.nameSize
  return data.subarray(start, start + layout.valueSize)
}

/** Undefined for data that is no such structure. Some firmware counts the terminator into the name: it is cut off. */
export function parseEfiVariable(data: Uint8Array): EfiVariable | undefined {
  const layout = layoutOf(data)
  if (layout === undefined) return undefined
  const start = HEADER_SIZE + layout.nameSize
  const size = start + layout.valueSize
  const name = utf16Text(data.subarray(HEADER_SIZE, start))
  if (name === undefined) return undefined
  return { vendor: data.subarray(0, 16), name, value: data.subarray(start, size), size }
}
