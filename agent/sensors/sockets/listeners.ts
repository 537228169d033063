import {
  MAX_INTERFACES,
  MAX_LISTENERS,
  MAX_PROGRAMS,
  SOCKET_SCOPES,
  type Listener,
  type SocketProgram,
  type SocketScope,
} from '../../../shared/posture/sections/sockets.ts'
import { printable } from '../text.ts'
import type { SocketAddress } from './address.ts'
import type { Binding } from './bindings.ts'
import type { Programs, SocketOwners } from './owners.ts'
import type { ListeningSocket } from './proc-net.ts'

type Place = Omit<Listener, 'owner' | 'programs' | 'interfaces' | 'ipv6Only'>

/** Addresses of the unit's own would make every unit's section a different one: there the scope says enough. */
function placeOf({ protocol, address, port, namespace, scope: reach = 'link' }: ListeningSocket): Place {
  const there = { protocol, port, ...(namespace === undefined ? {} : { namespace }) }
  if (address === undefined) return { ...there, family: protocol === 'vsock' ? 'vsock' : 'link', scope: reach }
  const { family, scope, text } = address
  return { ...there, family, scope, ...(isShared(address) ? { address: text } : {}) }
}

/** Sockets that are one listener in the section: at least one. */
export type SocketGroup = [ListeningSocket, ...ListeningSocket[]]

/** Whether the section tells the address: where it is not the unit's own. */
const isShared = ({ scope }: SocketAddress): boolean => scope === 'any' || scope === 'loopback' || scope === 'multicast'

/** What a section tells apart, as short as can be: there may be tens of thousands. */
function placeKey({ protocol, address, port, namespace = '', scope }: ListeningSocket): string {
  if (address === undefined) return `${protocol} ${scope ?? ''} ${port} ${namespace}`
  return `${protocol} ${isShared(address) ? address.text : `${address.family} ${address.scope}`} ${port} ${namespace}`
}

/** Sockets that differ only in what a section does not tell (SO_REUSEPORT, several own addresses) become one. */
export function groupByPlace(
  sockets: readonly ListeningSocket[],
  groups: Map<string, SocketGroup> = new Map(),
): Map<string, SocketGroup> {
  for (const socket of sockets) {
    const key = placeKey(socket)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [socket])
    else group.push(socket)
  }
  return groups
}

/** At most MAX_LISTENERS groups without those `taken`, those first that can be reached from furthest away. */
export function widestFirst(groups: ReadonlyMap<string, SocketGroup>, taken = 0): readonly SocketGroup[] {
  const most = Math.max(0, MAX_LISTENERS - taken)
  if (groups.size <= most) return [...groups.values()]
  const byScope = new Map<SocketScope, string[]>(SOCKET_SCOPES.map((scope) => [scope, []]))
  for (const [key, [socket]] of groups) byScope.get(socket.address?.scope ?? socket.scope ?? 'link')?.push(key)
  const kept: SocketGroup[] = []
  for (const keys of byScope.values()) {
    // Without a function of ours, which would be called a million times.
    for (const key of keys.sort().slice(0, most - kept.length)) kept.push(groups.get(key) as SocketGroup)
  }
  return kept
}

/** In the order that does not hang on that of processes, so that a cut leaves the same. */
export const programsOf = (programs: Programs): SocketProgram[] =>
  [...programs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MAX_PROGRAMS)
    .map(([, program]) => program)

export function withOwner(
  group: SocketGroup,
  owners: SocketOwners,
  bindingOf: (socket: ListeningSocket) => Binding | undefined,
): Listener {
  const place = placeOf(group[0])
  const found = new Map<string, SocketProgram>()
  let ownerless = false
  for (const { inode } of group) {
    const programs = owners.programs.get(inode)
    if (programs === undefined) ownerless = true
    else for (const [key, program] of programs) found.set(key, program)
  }
  const programs = programsOf(found)
  const unknown = owners.visibility === 'visible' ? 'none' : 'hidden'
  // One socket of several without a visible owner: naming only the other owners would hide that.
  const owner = programs.length === 0 || (ownerless && unknown === 'hidden') ? unknown : 'known'
  const bound = boundTo(place, group.map(bindingOf))
  return { ...place, ...bound, owner, ...(programs.length === 0 ? {} : { programs }) }
}

/** Names that are made anew for each container or network: of docker and podman, CNI, LXC, Calico and Cilium. */
const TRANSIENT = /^(?:(veth)(?:[0-9a-f]{7,8}|[0-9A-Za-z]{6})|(br-|cali|lxc)[0-9a-f]{11,12})$/

/** What is different each time stands as `*`, so that equal systems read equal. */
const stableName = (name: string): string => printable(name.replace(TRANSIENT, '$1$2*'), 64)

/** Of several sockets the widest: that of one that is bound to no interface, and of one that takes IPv4 as well. */
function boundTo(
  { family, scope }: Place,
  bindings: readonly (Binding | undefined)[],
): Pick<Listener, 'interfaces' | 'ipv6Only'> {
  const known = bindings.filter((binding) => binding !== undefined)
  if (known.length < bindings.length) return {}
  const names = new Set(known.map((binding) => binding.interface))
  const interfaces = names.has('') ? [] : [...new Set([...names].map(stableName))].sort()
  const only = known.map(({ ipv6Only }) => ipv6Only)
  // Of one address it says nothing: that is either of IPv4 or not.
  const hasOnly = family === 'ipv6' && scope === 'any' && !only.includes(undefined)
  return {
    interfaces: interfaces.slice(0, MAX_INTERFACES),
    ...(hasOnly ? { ipv6Only: !only.includes(false) } : {}),
  }
}
