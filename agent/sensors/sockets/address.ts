import type { SocketScope } from '../../../shared/posture/sections/sockets.ts'

export interface SocketAddress {
  readonly family: 'ipv4' | 'ipv6'
  readonly scope: SocketScope
  /** RFC 5952 text for IPv6, dotted decimal for IPv4. */
  readonly text: string
}

/**
 * The address columns of /proc/net/{tcp,udp}[6]: 32-bit words of the address in network order, each printed as a
 * number of the host, so that a little-endian machine shows the bytes of a word backwards.
 */
export function parseAddress(hex: string, byteOrder: 'LE' | 'BE'): SocketAddress | undefined {
  if ((hex.length !== 8 && hex.length !== 32) || !/^[0-9A-F]+$/.test(hex)) return undefined
  const bytes = Buffer.from(hex, 'hex')
  if (byteOrder === 'LE') bytes.swap32()
  return addressOf(bytes)
}

/** Dotted decimal, or eight groups of four hexadecimal digits as %pI6 of the kernel prints them. */
export function parseAddressText(text: string): SocketAddress | undefined {
  const numbers = text.split('.').map(Number)
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && numbers.every((one) => one <= 255)) {
    return addressOf(Buffer.from(numbers))
  }
  return /^[0-9a-f]{4}(?::[0-9a-f]{4}){7}$/.test(text)
    ? addressOf(Buffer.from(text.replaceAll(':', ''), 'hex'))
    : undefined
}

function addressOf(bytes: Buffer): SocketAddress {
  if (bytes.length === 4) return { family: 'ipv4', scope: ipv4Scope(bytes), text: bytes.join('.') }
  const mapped = isMapped(bytes) ? bytes.subarray(12) : undefined
  return {
    family: 'ipv6',
    scope: mapped === undefined ? ipv6Scope(bytes) : ipv4Scope(mapped),
    text: mapped === undefined ? formatIpv6(bytes) : `::ffff:${mapped.join('.')}`,
  }
}

/** RFC 4291 section 2.5.5.2: an IPv4 address in an IPv6 socket. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0)
}

/** RFC 6890: this host 0.0.0.0/32, loopback 127/8, link local 169.254/16; RFC 5771: multicast 224/4. */
function ipv4Scope([a = 0, b = 0, c = 0, d = 0]: Uint8Array): SocketScope {
  if (a === 127) return 'loopback'
  if (a === 0 && b === 0 && c === 0 && d === 0) return 'any'
  if (a === 169 && b === 254) return 'link'
  return a >= 224 && a <= 239 ? 'multicast' : 'address'
}

/** RFC 4291 section 2.4. */
function ipv6Scope(bytes: Uint8Array): SocketScope {
  const [first = 0, second = 0] = bytes
  if (first === 0xff) return 'multicast'
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link'
  if (!bytes.subarray(0, 15).every((byte) => byte === 0)) return 'address'
  return bytes[15] === 0 ? 'any' : bytes[15] === 1 ? 'loopback' : 'address'
}

/** RFC 5952 section 4: no leading zeros, and the first longest run of two or more zero groups as `::`. */
function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2))
  let best = { start: 0, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (best.length < 2) return hex.join(':')
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`
}
