import type { SocketTable } from '../../../shared/posture/sections/sockets.ts'
import { parseAddress, type SocketAddress } from './address.ts'

/** A socket that accepts from anybody: a listening TCP socket, or a UDP socket that is bound and not connected. */
export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp'
  readonly address: SocketAddress
  readonly port: number
  readonly inode: string
}

export interface TableContent {
  readonly sockets: readonly ListeningSocket[]
  readonly malformed: number
}

/** include/net/tcp_states.h. UDP sockets use two of them: connected ones are TCP_ESTABLISHED, the rest TCP_CLOSE. */
const TCP_LISTEN = '0A'
const TCP_CLOSE = '07'

const NEWLINE = 10
const COLON = 58
/** `inode` is the tenth column after the slot number; two of them are pairs joined by a colon. */
const INODE_COLUMN = 8

/**
 * Reads a table as net/ipv4/tcp_ipv4.c and its siblings print it. The columns up to the state have a fixed width
 * behind the colon of the slot number, so that the many sockets that are not listening cost next to nothing.
 */
export function parseSocketTable(table: SocketTable, content: Buffer, byteOrder: 'LE' | 'BE'): TableContent {
  const protocol = table.startsWith('tcp') ? 'tcp' : 'udp'
  const wantedState = protocol === 'tcp' ? TCP_LISTEN : TCP_CLOSE
  const width = (table.endsWith('6') ? 32 : 8) + 5
  const sockets: ListeningSocket[] = []
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
      const socket = parseLine(content.toString('latin1', local, end), protocol, width, byteOrder)
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

function parseLine(
  line: string,
  protocol: 'tcp' | 'udp',
  width: number,
  byteOrder: 'LE' | 'BE',
): ListeningSocket | undefined {
  const columns = line.split(' ').filter((column) => column !== '')
  const local = columns[0]
  const inode = columns[INODE_COLUMN]
  if (local === undefined || local.length !== width || local.charAt(width - 5) !== ':') return undefined
  if (inode === undefined || !/^\d+$/.test(inode)) return undefined
  const address = parseAddress(local.slice(0, width - 5), byteOrder)
  const port = local.slice(width - 4)
  if (address === undefined || !/^[0-9A-F]{4}$/.test(port)) return undefined
  return { protocol, address, port: Number.parseInt(port, 16), inode }
}
