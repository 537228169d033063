import { EPHEMERAL, type Listener, type SocketProgram } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import { programsOf } from './listeners.ts'
import type { SocketOwners } from './owners.ts'
import type { ListeningSocket } from './proc-net.ts'

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range'

/** Whether the kernel chooses ports out of a range that it tells, ip(7), and this is one of them. */
export type EphemeralPorts = (socket: ListeningSocket) => boolean

/** For protocols without connections: a client's socket looks as a server's there. Without the range, none. */
export function readEphemeralPorts(host: Host): EphemeralPorts {
  const file = host.readText(RANGE, 256)
  const match = /^\s*(\d{1,5})\s+(\d{1,5})\s*$/.exec(file.status === 'found' ? file.value : '')
  const [first, last] = match === null ? [1, 0] : [Number(match[1]), Number(match[2])]
  return ({ protocol, port }) => {
    // Its "port" is the identifier of echo requests, which the kernel chooses or the process's own number.
    if (protocol === 'icmp') return true
    return (protocol === 'udp' || protocol === 'udplite') && port >= first && port <= last
  }
}

/**
 * Takes those sockets whose owner is known together, as one for each set of executables: which addresses and how many
 * ports there are differs from one moment to the next. Where the owner is not known, the port is all that is known.
 */
export function collapseEphemeral(
  sockets: readonly ListeningSocket[],
  owners: SocketOwners,
): { readonly collapsed: readonly Listener[]; readonly rest: readonly ListeningSocket[] } {
  const uses = new Map<string, Use>()
  const rest: ListeningSocket[] = []
  const seen = new Set<string>()
  for (const socket of sockets) {
    const found = owners.programs.get(socket.inode)
    if (found === undefined && socket.protocol !== 'icmp') {
      rest.push(socket)
      continue
    }
    if (seen.has(socket.inode)) continue
    seen.add(socket.inode)
    const executables = new Set([...(found?.values() ?? [])].map(({ executable }) => executable))
    const key = [socket.protocol, socket.namespace ?? '', ...[...executables].sort()].join('\0')
    const use = uses.get(key)
    if (use === undefined) uses.set(key, { socket, programs: new Map(found) })
    // The same executables of other units.
    else for (const [each, program] of found ?? []) use.programs.set(each, program)
  }
  const unknown = owners.visibility === 'visible' ? 'none' : 'hidden'
  return { collapsed: [...uses.values()].map((use) => collapse(use, unknown)), rest }
}

interface Use {
  readonly socket: ListeningSocket
  readonly programs: Map<string, SocketProgram>
}

function collapse({ socket: { protocol, namespace }, programs }: Use, unknown: 'none' | 'hidden'): Listener {
  const kept = programsOf(programs)
  return {
    protocol,
    family: 'any',
    scope: 'any',
    port: EPHEMERAL,
    ...(namespace === undefined ? {} : { namespace }),
    owner: programs.size === 0 ? unknown : 'known',
    ...(kept.length === 0 ? {} : { programs: kept }),
  }
}
