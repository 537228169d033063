import { ByteReader, ByteRangeError } from '../../bytes/reader.ts'
import { guidText } from './guid.ts'
import { fixedUtf16, utf8Text } from './text.ts'

/** UEFI 2.10 section 10.3: a row of nodes of type, subtype, length and data, ended by an end node. */
const HEADER_SIZE = 4
const END = 0x7f

/** A path of more nodes than any real one: the rest is shown as an ellipsis. */
const MAX_NODES = 64

type NodeText = (data: ByteReader, whole: Uint8Array) => string

const hex = (value: number | bigint): string => `0x${value.toString(16)}`

/** By type and subtype; the text forms follow UEFI 2.10 section 10.6.1. */
const NODES: ReadonlyMap<number, NodeText> = new Map<number, NodeText>([
  [0x0101, (data) => pci(data.u8(), data.u8())],
  [0x0103, (data) => `MemoryMapped(${hex(data.u32())},${hex(data.u64())},${hex(data.u64())})`],
  [0x0104, (data) => `VenHw(${guidText(data.bytes(16))})`],
  [0x0201, (data) => acpi(data.u32(), data.u32())],
  [0x0301, (data) => `Ata(${data.u8()},${data.u8()},${data.u16()})`],
  [0x0302, (data) => `Scsi(${data.u16()},${data.u16()})`],
  [0x0305, (data) => `USB(${data.u8()},${data.u8()})`],
  [0x030a, (data) => `VenMsg(${guidText(data.bytes(16))})`],
  [0x030b, (_, whole) => `MAC(${Array.from(whole.subarray(0, 6), twoDigits).join(':')})`],
  [0x030c, () => 'IPv4()'],
  [0x030d, () => 'IPv6()'],
  [0x0312, (data) => `Sata(${data.u16()},${data.u16()},${data.u16()})`],
  [0x0317, (data) => `NVMe(${data.u32()},${Array.from(data.bytes(8), twoDigits).reverse().join('-')})`],
  [0x0318, (_, whole) => `Uri(${utf8Text(whole) ?? ''})`],
  [0x031a, (data) => `SD(${data.u8()})`],
  [0x031d, (data) => `eMMC(${data.u8()})`],
  [0x0401, hardDrive],
  [0x0402, (data) => `CDROM(${data.u32()})`],
  [0x0403, (data) => `VenMedia(${guidText(data.bytes(16))})`],
  [0x0404, (_, whole) => fixedUtf16(whole) ?? 'File()'],
  [0x0406, (data) => `FvFile(${guidText(data.bytes(16))})`],
  [0x0407, (data) => `Fv(${guidText(data.bytes(16))})`],
  [0x0408, (data) => offset(data)],
  [0x0501, (_, whole) => `BBS(${utf8Text(whole.subarray(4)) ?? ''})`],
])

/** Text of a device path for people, and never more than that. Undefined for bytes that are not a device path. */
export function devicePathText(path: Uint8Array): string | undefined {
  const reader = new ByteReader(path, 'little-endian')
  const nodes: string[] = []
  try {
    while (reader.remaining > 0) {
      const type = reader.u8()
      const subtype = reader.u8()
      const length = reader.u16()
      if (length < HEADER_SIZE) return undefined
      const data = reader.bytes(length - HEADER_SIZE)
      if (type === END) break
      if (nodes.length === MAX_NODES) return `${nodes.join('/')}/…`
      nodes.push(nodeText((type << 8) | subtype, data))
    }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
  return nodes.length === 0 ? undefined : nodes.join('/')
}

function nodeText(kind: number, data: Uint8Array): string {
  const unknown = `Path(${kind >> 8},${kind & 0xff})`
  try {
    return NODES.get(kind)?.(new ByteReader(data, 'little-endian'), data) ?? unknown
  } catch (error) {
    // A node too short for its kind is shown as one of no known kind.
    if (error instanceof ByteRangeError) return unknown
    throw error
  }
}

const twoDigits = (byte: number): string => byte.toString(16).padStart(2, '0')

/** The structure has the function before the device, the text has them the other way round. */
const pci = (functionNumber: number, device: number): string => `Pci(${hex(device)},${hex(functionNumber)})`

/** EISA ids of PNP0Axx, UEFI 2.10 section 10.3.3. */
const ACPI_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0a0341d0, 'PciRoot'],
  [0x0a0841d0, 'PcieRoot'],
])
const acpi = (id: number, instance: number): string => {
  const name = ACPI_NAMES.get(id)
  return name === undefined ? `Acpi(${hex(id)},${hex(instance)})` : `${name}(${hex(instance)})`
}

/** UEFI 2.10 section 10.3.5.1. */
function hardDrive(data: ByteReader): string {
  const partition = data.u32()
  data.bytes(16)
  const signature = data.bytes(16)
  data.u8()
  const isGuid = data.u8() === 2
  return isGuid ? `HD(${partition},GPT,${guidText(signature)})` : `HD(${partition},MBR)`
}

/** Relative offset range, UEFI 2.10 section 10.3.5.8: where an option ROM image lies in its device's memory. */
function offset(data: ByteReader): string {
  data.u32()
  return `Offset(${hex(data.u64())},${hex(data.u64())})`
}
