import type { ByteReader } from '../../bytes/reader.ts'
import { guidText } from './guid.ts'
import { fixedUtf16, utf8Text } from './text.ts'

/** Writes one node of a device path. `data`: behind the header; `whole`: the same bytes, for what takes all of them. */
type NodeText = (data: ByteReader, whole: Uint8Array) => string

const hex = (value: number | bigint): string => `0x${value.toString(16)}`
const digits = (bytes: Uint8Array, separator = ''): string => Array.from(bytes, twoDigits).join(separator)
const twoDigits = (byte: number): string => byte.toString(16).padStart(2, '0')

/** By type and subtype, UEFI 2.10 section 10.3; the text forms follow section 10.6.1. */
export const NODES: ReadonlyMap<number, NodeText> = new Map<number, NodeText>([
  // Hardware, section 10.3.2.
  [0x0101, (data) => pci(data.u8(), data.u8())],
  [0x0102, (data) => `PcCard(${hex(data.u8())})`],
  [0x0103, (data) => `MemoryMapped(${hex(data.u32())},${hex(data.u64())},${hex(data.u64())})`],
  [0x0104, (data) => `VenHw(${guidText(data.bytes(16))})`],
  [0x0105, (data) => `Ctrl(${hex(data.u32())})`],
  [0x0106, (data) => `BMC(${hex(data.u8())},${hex(data.u64())})`],
  // ACPI, section 10.3.3.
  [0x0201, (data) => acpi(data.u32(), data.u32())],
  [0x0202, (data) => acpiExpanded(data.u32(), data.u32(), data.u32())],
  [0x0203, (data) => `AcpiAdr(${hex(data.u32())})`],
  // Messaging, section 10.3.4.
  [0x0301, (data) => `Ata(${data.u8()},${data.u8()},${data.u16()})`],
  [0x0302, (data) => `Scsi(${data.u16()},${data.u16()})`],
  [0x0303, (data) => fibre(data)],
  [0x0304, (data) => `I1394(${hex(behindReserved(data).u64())})`],
  [0x0305, (data) => `USB(${data.u8()},${data.u8()})`],
  [0x0306, (data) => `I2O(${hex(data.u32())})`],
  [0x0309, () => 'Infiniband()'],
  [0x030a, (data) => `VenMsg(${guidText(data.bytes(16))})`],
  [0x030b, (_, whole) => `MAC(${digits(whole.subarray(0, 6), ':')})`],
  [0x030c, (data) => ipv4(data)],
  [0x030d, (data) => ipv6(data)],
  [0x030e, (data) => uart(data)],
  [0x030f, (data) => `UsbClass(${hex(data.u16())},${hex(data.u16())},${hex(data.u8())},${hex(data.u8())})`],
  [0x0310, (data, whole) => usbWwid(data, whole)],
  [0x0311, (data) => `Unit(${data.u8()})`],
  [0x0312, (data) => `Sata(${data.u16()},${data.u16()},${data.u16()})`],
  [0x0313, (_, whole) => `iSCSI(${utf8Text(whole.subarray(14)) ?? ''})`],
  [0x0314, (data) => `Vlan(${data.u16()})`],
  [0x0315, (data) => `FibreEx(${digits(behindReserved(data).bytes(8))},${digits(data.bytes(8))})`],
  [0x0316, (data) => `SasEx(${digits(data.bytes(8))},${digits(data.bytes(8))})`],
  [0x0317, (data) => `NVMe(${data.u32()},${Array.from(data.bytes(8), twoDigits).reverse().join('-')})`],
  [0x0318, (_, whole) => `Uri(${utf8Text(whole) ?? ''})`],
  [0x0319, (data) => `UFS(${data.u8()},${data.u8()})`],
  [0x031a, (data) => `SD(${data.u8()})`],
  [0x031b, (data) => `Bluetooth(${digits(data.bytes(6), ':')})`],
  [0x031c, (_, whole) => `Wi-Fi(${utf8Text(whole.subarray(0, 32)) ?? ''})`],
  [0x031d, (data) => `eMMC(${data.u8()})`],
  [0x031e, (data) => `BluetoothLE(${digits(data.bytes(6), ':')})`],
  [0x031f, (data) => dns(data)],
  [0x0320, (data) => `NvdimmNamespace(${guidText(data.bytes(16))})`],
  // Media, section 10.3.5.
  [0x0401, hardDrive],
  [0x0402, (data) => `CDROM(${data.u32()})`],
  [0x0403, (data) => `VenMedia(${guidText(data.bytes(16))})`],
  [0x0404, (_, whole) => fixedUtf16(whole) ?? 'File()'],
  [0x0405, (data) => `Media(${guidText(data.bytes(16))})`],
  [0x0406, (data) => `FvFile(${guidText(data.bytes(16))})`],
  [0x0407, (data) => `Fv(${guidText(data.bytes(16))})`],
  [0x0408, (data) => offset(data)],
  [0x0409, (data) => `RamDisk(${hex(data.u64())},${hex(data.u64())})`],
  // BIOS boot specification, section 10.3.6.
  [0x0501, (_, whole) => `BBS(${utf8Text(whole.subarray(4)) ?? ''})`],
])

function behindReserved(data: ByteReader): ByteReader {
  data.u32()
  return data
}

/** The structure has the function before the device, the text has them the other way round. */
const pci = (functionNumber: number, device: number): string => `Pci(${hex(device)},${hex(functionNumber)})`

/** EISA ids of PNP devices that have a text form of their own. */
const ACPI_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0a0341d0, 'PciRoot'],
  [0x0a0841d0, 'PcieRoot'],
  [0x060441d0, 'Floppy'],
  [0x030141d0, 'Keyboard'],
  [0x050141d0, 'Serial'],
  [0x040141d0, 'ParallelPort'],
])
/** `PNP` in five bits a letter, in the byte order of the structure. */
const PNP = 0x41d0
const eisaId = (id: number): string =>
  (id & 0xffff) === PNP ? `PNP${(id >>> 16).toString(16).toUpperCase().padStart(4, '0')}` : hex(id)

function acpi(id: number, instance: number): string {
  const name = ACPI_NAMES.get(id)
  return name === undefined ? `Acpi(${eisaId(id)},${hex(instance)})` : `${name}(${hex(instance)})`
}

const acpiExpanded = (id: number, instance: number, compatible: number): string =>
  `AcpiEx(${eisaId(id)},${eisaId(compatible)},${hex(instance)})`

function fibre(data: ByteReader): string {
  behindReserved(data)
  return `Fibre(${hex(data.u64())},${hex(data.u64())})`
}

const IP_PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, 'TCP'],
  [17, 'UDP'],
])
const protocolText = (protocol: number): string => IP_PROTOCOLS.get(protocol) ?? hex(protocol)

function ipv4(data: ByteReader): string {
  const local = data.bytes(4).join('.')
  const remote = data.bytes(4).join('.')
  data.u32()
  const protocol = protocolText(data.u16())
  return `IPv4(${remote},${protocol},${data.u8() === 1 ? 'Static' : 'DHCP'},${local})`
}

function ipv6(data: ByteReader): string {
  const address = () => Array.from({ length: 8 }, () => digits(data.bytes(2))).join(':')
  const local = address()
  const remote = address()
  data.u32()
  return `IPv6(${remote},${protocolText(data.u16())},${local})`
}

const PARITIES = ['D', 'N', 'E', 'O', 'M', 'S']
const STOP_BITS = ['D', '1', '1.5', '2']
function uart(data: ByteReader): string {
  const baud = behindReserved(data).u64()
  const bits = data.u8()
  return `Uart(${baud},${bits},${PARITIES[data.u8()] ?? '?'},${STOP_BITS[data.u8()] ?? '?'})`
}

function usbWwid(data: ByteReader, whole: Uint8Array): string {
  const interfaceNumber = data.u16()
  return `UsbWwid(${hex(data.u16())},${hex(data.u16())},${interfaceNumber},${fixedUtf16(whole.subarray(6)) ?? ''})`
}

function dns(data: ByteReader): string {
  const isIpv6 = data.u8() === 1
  const servers: string[] = []
  while (data.remaining > 0) {
    const address = data.bytes(16)
    servers.push(isIpv6 ? digits(address) : address.subarray(0, 4).join('.'))
  }
  return `Dns(${servers.join(',')})`
}

/** UEFI 2.10 section 10.3.5.1. The signature of an MBR is four bytes. */
function hardDrive(data: ByteReader): string {
  const partition = data.u32()
  data.bytes(16)
  const signature = data.bytes(16)
  data.u8()
  const kind = data.u8()
  if (kind === 2) return `HD(${partition},GPT,${guidText(signature)})`
  return kind === 1 ? `HD(${partition},MBR,0x${digits(signature.slice(0, 4).reverse())})` : `HD(${partition})`
}

/** Relative offset range, UEFI 2.10 section 10.3.5.8: where an option ROM image lies in its device's memory. */
function offset(data: ByteReader): string {
  behindReserved(data)
  return `Offset(${hex(data.u64())},${hex(data.u64())})`
}
