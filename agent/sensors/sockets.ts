import { SOCKET_TABLES, type SocketTable } from '../../shared/posture/sections/sockets.ts'
import type { Host } from './host.ts'
import { required } from './required.ts'
import type { Reading, Sensor } from './sensor.ts'
import { groupByPlace, widestFirst, withOwner } from './sockets/listeners.ts'
import { findOwners } from './sockets/owners.ts'
import { parseSocketTable, type ListeningSocket } from './sockets/proc-net.ts'
import { printable } from './text.ts'

const MAX_TABLE_BYTES = 24 * 1024 * 1024
const MAX_STATE_TEXT = 256

/** Own addresses that something listens on, for the claim `state`: exact, and different on every unit. */
function ownAddresses(sockets: readonly ListeningSocket[]): string {
  const own = new Set<string>()
  for (const { protocol, address, port } of sockets) {
    if (address.scope !== 'address') continue
    own.add(`${protocol}/${address.family === 'ipv6' ? `[${address.text}]` : address.text}:${port}`)
  }
  return printable([...own].sort().join(' '), MAX_STATE_TEXT)
}

function measure(host: Host): Reading<'sockets'> {
  const tables: SocketTable[] = []
  const sockets: ListeningSocket[] = []
  let malformed = 0
  for (const table of SOCKET_TABLES) {
    const path = `/proc/net/${table}`
    const file = required(host.readFile(path, MAX_TABLE_BYTES), path, 'file')
    if (file === undefined) continue
    tables.push(table)
    const content = parseSocketTable(table, file, host.byteOrder)
    for (const socket of content.sockets) sockets.push(socket)
    malformed += content.malformed
  }
  if (tables.length === 0) return { status: 'not-supported', reason: 'no-procfs' }
  const groups = groupByPlace(sockets)
  const kept = widestFirst(groups)
  const owners = findOwners(host, new Set(kept.flatMap(({ inodes }) => inodes)))
  const own = ownAddresses(sockets)
  return {
    status: 'measured',
    content: {
      listeners: kept.map(({ place, inodes }) => withOwner(place, inodes, owners)),
      tables,
      owners: owners.visibility,
      truncated: kept.length < groups.size,
      total: groups.size,
      malformed,
    },
    state: {
      ...(own === '' ? {} : { 'sockets.own-addresses': own }),
      ...(owners.replaced === 0 ? {} : { 'sockets.replaced-executables': owners.replaced }),
    },
  }
}

export const socketsSensor: Sensor<'sockets'> = {
  id: 'sockets',
  title: 'listening TCP and bound UDP sockets',
  section: 'sockets',
  reads: '/proc/net/{tcp,tcp6,udp,udp6}, /proc/*/fd, /proc/*/exe',
  needs: 'CAP_SYS_PTRACE to see the executables of processes of other users',
  blindSpots:
    'other network namespaces, as of containers; SCTP, DCCP, raw and packet sockets; the interface a socket is bound ' +
    'to and whether an IPv6 socket also takes IPv4; a client that sends UDP without connecting looks like a listener',
  budget: { cpuMs: 60 },
  remedy: 'Let keepseal-measure look at foreign sockets, and do not set ProtectProc=invisible or ProcSubset=pid.',
  measure,
}
