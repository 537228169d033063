import { SOCKET_TABLES, type SocketTable } from '../../shared/posture/sections/sockets.ts'
import type { Host } from './host.ts'
import type { Reading, Sensor } from './sensor.ts'
import { readBindings, readInterfaces, type Binding, type Bindings } from './sockets/bindings.ts'
import { collapseEphemeral, readEphemeralPorts } from './sockets/ephemeral.ts'
import { groupByPlace, widestFirst, withOwner } from './sockets/listeners.ts'
import { findNamespaces } from './sockets/namespaces.ts'
import { ORIGIN_READS } from './sockets/origins.ts'
import { findOwners } from './sockets/owners.ts'
import type { ListeningSocket } from './sockets/proc-net.ts'
import { PROCESS_MEMORY_SECONDS, Processes } from './sockets/processes.ts'
import { readOtherTables, readTables } from './sockets/tables.ts'
import { readVsock } from './sockets/vsock.ts'
import { printable } from './text.ts'

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

const isRecorded = (table: string): table is SocketTable => (SOCKET_TABLES as readonly string[]).includes(table)

const remembered = new WeakMap<Host, Processes>()

function processesOf(host: Host): Processes {
  const processes = remembered.get(host) ?? new Processes()
  remembered.set(host, processes)
  processes.list(host)
  return processes
}

/** Of packet sockets the table tells the interface, by its number in its own namespace; of others ss does. */
function bindingsOf(host: Host, { byInode }: Bindings): (socket: ListeningSocket) => Binding | undefined {
  let names: ReadonlyMap<number, string> | undefined
  return ({ namespace, interface: index, inode }) => {
    if (index === undefined) return byInode.get(inode)
    if (index === 0) return { interface: '' }
    if (namespace !== undefined) return undefined
    names ??= readInterfaces(host)
    const name = names.get(index)
    return name === undefined ? undefined : { interface: name }
  }
}

async function measure(host: Host): Promise<Reading<'sockets'>> {
  const processes = processesOf(host)
  const namespaces = findNamespaces(host, processes)
  const first = readTables(host, namespaces.directory)
  const tables = first.names.filter(isRecorded)
  if (tables.length === 0) return { status: 'not-supported', reason: 'no-procfs' }
  const others = readOtherTables(host, namespaces)
  // After the tables, so that each of their sockets that is still open is known to ss as well.
  const bindings = await readBindings(host, namespaces.isOwn)
  const vsock = await readVsock(host)

  const isEphemeral = readEphemeralPorts(host)
  const ephemeral: ListeningSocket[] = []
  const lasting: ListeningSocket[] = []
  for (const all of [first.sockets, others.sockets, vsock.sockets]) {
    for (const socket of all) (isEphemeral(socket) ? ephemeral : lasting).push(socket)
  }
  const groups = groupByPlace(lasting)
  const wanted = new Set(ephemeral.map(({ inode }) => inode))
  for (const group of widestFirst(groups)) for (const { inode } of group) wanted.add(inode)
  const owners = findOwners(host, processes, wanted)
  const { collapsed, rest } = collapseEphemeral(ephemeral, owners)
  groupByPlace(rest, groups)
  const ephemeralKept = collapsed.slice(0, MAX_EPHEMERAL)
  const kept = widestFirst(groups, ephemeralKept.length)
  const own = ownAddresses(first.sockets)
  const bindingOf = bindingsOf(host, bindings)
  return {
    status: 'measured',
    content: {
      listeners: [...kept.map((group) => withOwner(group, owners, bindingOf)), ...ephemeralKept],
      tables,
      owners: owners.visibility,
      namespaces: others.sight,
      bindings: bindings.sight,
      vsock: vsock.sight,
      truncated: kept.length < groups.size || ephemeralKept.length < collapsed.length,
      total: groups.size + collapsed.length,
      malformed: first.malformed + others.malformed + vsock.malformed,
    },
    state: {
      ...(own === '' ? {} : { 'sockets.own-addresses': own }),
      ...(namespaces.others.length === 0 ? {} : { 'sockets.namespaces': namespaces.others.length + 1 }),
      ...(owners.replaced === 0 ? {} : { 'sockets.replaced-executables': owners.replaced }),
    },
  }
}

/** Each listening socket by its inode, which it keeps for life: whoever is behind it is another one only with another. */
function glance(host: Host): string {
  const isEphemeral = readEphemeralPorts(host)
  const { sight, directory, others } = findNamespaces(host, processesOf(host))
  const { names, sockets, malformed } = readTables(host, directory)
  // Inodes of sockets are those of the whole system: what a namespace is called need not be found out.
  const elsewhere = readOtherTables(host, { sight, others: others.map((one) => ({ ...one, label: () => '' })) })
  const lasting = [...sockets, ...elsewhere.sockets].filter((socket) => !isEphemeral(socket))
  const lines = lasting.map(
    ({ protocol, address, port, inode }) => `${protocol}/${address?.text ?? address?.scope ?? 'link'}:${port} ${inode}`,
  )
  return [names.join(' '), malformed + elsewhere.malformed, elsewhere.sight, ...lines.sort()].join('\n')
}

export const socketsSensor: Sensor<'sockets'> = {
  id: 'sockets',
  title: 'sockets that listen, or are bound and accept from anybody',
  section: 'sockets',
  reads:
    '/proc/net/{tcp,udp,udplite,raw,icmp} of both families, /proc/net/packet, /proc/net/sctp/eps, and the same of one ' +
    'process of every other network namespace; /proc/sys/net/ipv4/ip_local_port_range, /proc/*/fd, /proc/*/exe, ' +
    `/proc/*/cgroup, /run/netns, /sys/class/net/*/ifindex; ${ORIGIN_READS}; in the privileged helper ss(8) for ` +
    'interfaces, IPV6_V6ONLY and AF_VSOCK',
  needs:
    'CAP_SYS_PTRACE to see the executables of processes of other users; the privileged helper for interfaces, ' +
    'IPV6_V6ONLY and AF_VSOCK',
  blindSpots:
    'network namespaces without a process, and those of processes that are hidden; interfaces and IPV6_V6ONLY in other ' +
    'network namespaces; AF_VSOCK where the kernel has no vsock_diag; DCCP and Bluetooth; packages of rpm, and which ' +
    'package programs of containers are from; which ports of the ephemeral range a program uses: they are one entry ' +
    'per program, where its owner is visible; for up to ' +
    `${PROCESS_MEMORY_SECONDS / 60} minutes, that an older process was handed a socket that was open before, or moved ` +
    'into a new network namespace; what is open between two measurements for less than report.sample_seconds: samples ' +
    'of TCP and of UDP below the ephemeral range in the first namespace count the rest',
  budget: { cpuMs: 60 },
  remedy: 'Let keepseal-measure look at foreign sockets, and do not set ProtectProc=invisible or ProcSubset=pid.',
  privileged: true,
  glance,
  measure,
}
