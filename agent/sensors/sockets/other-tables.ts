import { parseAddressText } from './address.ts'
import type { ListeningSocket, TableContent } from './proc-net.ts'

const lines = (text: string): string[] => text.split('\n').slice(1)
const columnsOf = (line: string): string[] => line.split(/\s+/).filter((column) => column !== '')

/** net/packet/af_packet.c: `sk RefCnt Type Proto Iface R Rmem User Inode`; protocol 0 receives nothing. */
export function parsePacketTable(text: string): TableContent {
  const sockets: ListeningSocket[] = []
  let malformed = 0
  for (const line of lines(text)) {
    const columns = columnsOf(line)
    if (columns.length === 0) continue
    const [, , , protocol = '', index = '', , , , inode = ''] = columns
    if (!/^[0-9a-f]{4}$/.test(protocol) || !/^\d+$/.test(inode) || !/^\d{1,10}$/.test(index)) malformed += 1
    else if (protocol !== '0000') {
      const port = Number.parseInt(protocol, 16)
      sockets.push({ protocol: 'packet', address: undefined, port, inode, interface: Number(index) })
    }
  }
  return { sockets, malformed }
}

/** include/net/sctp/constants.h: SCTP_SS_LISTENING is TCP_LISTEN. */
const LISTENING = '10'

/** net/sctp/proc.c: `ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS`, an endpoint with each of its addresses. */
export function parseSctpEndpoints(text: string): TableContent {
  const sockets: ListeningSocket[] = []
  let malformed = 0
  for (const line of lines(text)) {
    const columns = columnsOf(line)
    if (columns.length === 0) continue
    const [, , , state, , port = '', , inode = '', ...addresses] = columns
    // An address that is the primary one has an asterisk.
    const parsed = addresses.map((address) => parseAddressText(address.replace(/^\*/, '')))
    const isWhole = /^\d{1,5}$/.test(port) && Number(port) <= 0xffff && /^\d+$/.test(inode) && parsed.length > 0
    if (!isWhole || parsed.includes(undefined)) malformed += 1
    else if (state === LISTENING) {
      for (const address of parsed) sockets.push({ protocol: 'sctp', address, port: Number(port), inode })
    }
  }
  return { sockets, malformed }
}
