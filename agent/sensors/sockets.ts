import { SOCKET_TABLES, type SocketTable } from '../../shared/posture/sections/sockets.ts'
import type { Host } from './host.ts'
import { required } from './required.ts'
import type { Reading, Sensor } from './sensor.ts'
import { collapseEphemeral, readEphemeralPorts } from './sockets/ephemeral.ts'
import { groupByPlace, widestFirst, withOwner } from './sockets/listeners.ts'
import { parsePacketTable, parseSctpEndpoints } from './sockets/other-tables.ts'
import { findOwners } from './sockets/owners.ts'
import { INET_TABLES, parseSocketTable, type ListeningSocket, type TableContent } from './sockets/proc-net.ts'
import { printable } from './text.ts'

const MAX_TABLE_BYTES = 24 * 1024 * 1024
const MAX_STATE_TEXT = 256
const MAX_EPHEMERAL = 256

/** Own addresses that something listens on, for the claim `state`: exact, and different on every unit. */
function ownAddresses(sockets: readonly ListeningSocket[]): string {
  const own = new Set<string>()
  for (const { protocol, address, port } of sockets) {
    if (address?.scope !== 'address') continue
    own.add(`${protocol}/${address.family === 'ipv6' ? `[${address.text}]` : address.text}:${port}`)
  }
  return printable([...own].sort().join(' '), MAX_STATE_TEXT)
}

type TableReader = (file: Buffer) => TableContent

const isRecorded = (table: string): table is SocketTable => (SOCKET_TABLES as readonly string[]).includes(table)

/** Every table, by its path below /proc/net. */
function readers(host: Host): ReadonlyMap<string, TableReader> {
  const inet = INET_TABLES.map(
    (table) => [table, (file: Buffer) => parseSocketTable(table, file, host.byteOrder)] as const,
  )
  return new Map<string, TableReader>([
    ...inet,
    ['packet', (file) => parsePacketTable(file.toString('latin1'))],
    ['sctp/eps', (file) => parseSctpEndpoints(file.toString('latin1'))],
  ])
}

function measure(host: Host): Reading<'sockets'> {
  const tables: SocketTable[] = []
  const sockets: ListeningSocket[] = []
  let malformed = 0
  for (const [table, read] of readers(host)) {
    const path = `/proc/net/${table}`
    const file = required(host.readFile(path, MAX_TABLE_BYTES), path, 'file')
    if (file === undefined) continue
    if (isRecorded(table)) tables.push(table)
    const content = read(file)
    for (const socket of content.sockets) sockets.push(socket)
    malformed += content.malformed
  }
  if (tables.length === 0) return { status: 'not-supported', reason: 'no-procfs' }

  const isEphemeral = readEphemeralPorts(host)
  const ephemeral: ListeningSocket[] = []
  const others: ListeningSocket[] = []
  for (const socket of sockets) (isEphemeral(socket) ? ephemeral : others).push(socket)
  const groups = groupByPlace(others)
  const wanted = new Set(ephemeral.map(({ inode }) => inode))
  for (const { inodes } of widestFirst(groups)) for (const inode of inodes) wanted.add(inode)
  const owners = findOwners(host, wanted)
  const { collapsed, rest } = collapseEphemeral(ephemeral, owners)
  groupByPlace(rest, groups)
  const ephemeralKept = collapsed.slice(0, MAX_EPHEMERAL)
  const kept = widestFirst(groups, ephemeralKept.length)
  const own = ownAddresses(sockets)
  return {
    status: 'measured',
    content: {
      listeners: [...kept.map((group) => withOwner(group, owners)), ...ephemeralKept],
      tables,
      owners: owners.visibility,
      truncated: kept.length < groups.size || ephemeralKept.length < collapsed.length,
      total: groups.size + collapsed.length,
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
  title: 'sockets that listen, or are bound and accept from anybody',
  section: 'sockets',
  reads:
    '/proc/net/{tcp,udp,udplite,raw,icmp} of both families, /proc/net/packet, /proc/net/sctp/eps, ' +
    '/proc/sys/net/ipv4/ip_local_port_range, /proc/*/fd, /proc/*/exe',
  needs: 'CAP_SYS_PTRACE to see the executables of processes of other users',
  blindSpots:
    'other network namespaces, as of containers; AF_VSOCK, DCCP and Bluetooth, which /proc does not list; the ' +
    'interface a socket is bound to and whether an IPv6 socket also takes IPv4, which it does not tell; what is open ' +
    'between two measurements; which ports of the ephemeral range a program uses: they are one entry per program, ' +
    'where its owner is visible',
  budget: { cpuMs: 60 },
  remedy: 'Let keepseal-measure look at foreign sockets, and do not set ProtectProc=invisible or ProcSubset=pid.',
  privileged: true,
  measure,
}
