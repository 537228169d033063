import type { SocketProtocol, SocketScope } from '../../../shared/posture/sections/sockets.ts'
import { parseAddress, type SocketAddress } from './address.ts'

/** A socket that accepts from anybody: one that listens, or one without connections that is bound and not connected. */
export interface ListeningSocket {
  readonly protocol: SocketProtocol
  /** Undefined below IP, and of vsock(7). */
  readonly address: SocketAddress | undefined
  /** How far one without an address reaches; `link` where nothing is said. */
  readonly scope?: SocketScope
  readonly port: number
  readonly inode: string
  /** Of another network namespace than that of process 1, by what ./namespaces.ts calls it. */
  readonly namespace?: string
  /** The interface that it is bound to, by number, 0 for none: where the table tells. */
  readonly interface?: number
}

/** Tables in one form: those of UDP-Lite, raw and ping sockets are printed as those of UDP, with the same states. */
export const INET_TABLES = [
  'tcp',
  'tcp6',
  'udp',
  'udp6',
  'udplite',
  'udplite6',
  'raw',
  'raw6',
  'icmp',
  'icmp6',
] as const
export type InetTable = (typeof INET_TABLES)[number]

export interface TableContent {
  readonly sockets: readonly ListeningSocket[]
  readonly malformed: number
}

/** include/net/tcp_states.h. UDP sockets use two of them: connected ones are TCP_ESTABLISHED, the rest TCP_CLOSE. */
const TCP_LISTEN = '0A'
const TCP_CLOSE = '07'

const NEWLINE = 10
const COLON = 58
/** Behind the state: queues, timer, retransmits, uid, timeout, and then the inode; two of them are pairs with a colon. */
const INODE_COLUMN = 5

/**
 * Reads a table as net/ipv4/tcp_ipv4.c and its siblings print it. The columns up to the state have a fixed width
 * behind the colon of the slot number, so that the many sockets that are not listening cost next to nothing.
 */
export function parseSocketTable(table: InetTable, content: Buffer, byteOrder: 'LE' | 'BE'): TableContent {
  const protocol = table.replace(/6$/, '') as SocketProtocol
  const wantedState = protocol === 'tcp' ? TCP_LISTEN : TCP_CLOSE
  const width = (table.endsWith('6') ? 32 : 8) + 5
  const sockets: ListeningSocket[] = []
  const addresses: AddressCache = new Map()
  let malformed = 0
  // The first line names the columns.
  let start = content.indexOf(NEWLINE) + 1
  while (start > 0 && start < content.length) {
    const newline = content.indexOf(NEWLINE, start)
    const end = newline < 0 ? content.length : newline
    const local = afterSlot(content, start)
    const state = local + width + 1 + width + 1
    if (local < 0 || state + 2 > end) malformed += 1
    else if (content.toString('latin1', state, state + 2) === wantedState) {
      const socket = parseLine(content.toString('latin1', local, end), protocol, width, byteOrder, addresses)
      if (socket === undefined) malformed += 1
      // Port 0: not bound yet.
      else if (socket.port !== 0) sockets.push(socket)
    }
    start = end + 1
  }
  return { sockets, malformed }
}

/** Where the local address begins: behind the slot number, which is right-aligned in four columns, and its colon. */
function afterSlot(content: Buffer, start: number): number {
  for (let at = start; at < start + 16; at++) if (content[at] === COLON) return at + 2
  return -1
}

/** Thousands of sockets are bound to the same few addresses. */
type AddressCache = Map<string, SocketAddress>

function parseLine(
  line: string,
  protocol: SocketProtocol,
  width: number,
  byteOrder: 'LE' | 'BE',
  addresses: AddressCache,
): ListeningSocket | undefined {
  if (line.charAt(width - 5) !== ':' || line.charAt(width) !== ' ') return undefined
  const inode = columnAt(line.slice(width + 1 + width + 1 + 2), INODE_COLUMN)
  if (inode === undefined || !/^\d+$/.test(inode)) return undefined
  const hex = line.slice(0, width - 5)
  let address = addresses.get(hex)
  if (address === undefined) {
    address = parseAddress(hex, byteOrder)
    if (address === undefined) return undefined
    addresses.set(hex, address)
  }
  const port = readPort(line, width - 4)
  return port === undefined ? undefined : { protocol, address, port, inode }
}

/** The column of that number, which begin behind any number of blanks. */
function columnAt(text: string, wanted: number): string | undefined {
  let column = 0
  for (const part of text.split(' ', 64)) {
    if (part === '') continue
    if (column === wanted) return part
    column += 1
  }
  return undefined
}

/** Four hexadecimal digits, upper case as the kernel prints them. */
function readPort(line: string, at: number): number | undefined {
  let port = 0
  for (let index = at; index < at + 4; index++) {
    const code = line.charCodeAt(index)
    if (code >= 0x30 && code <= 0x39) port = port * 16 + code - 0x30
    else if (code >= 0x41 && code <= 0x46) port = port * 16 + code - 0x37
    else return undefined
  }
  return port
}
