import {
  MAX_EXECUTABLES,
  MAX_LISTENERS,
  SOCKET_SCOPES,
  type Listener,
  type SocketScope,
} from '../../../shared/posture/sections/sockets.ts'
import type { SocketAddress } from './address.ts'
import type { SocketOwners } from './owners.ts'
import type { ListeningSocket } from './proc-net.ts'

type Place = Omit<Listener, 'owner' | 'executables'>

/** Addresses of the unit's own would make every unit's section a different one: there the scope says enough. */
function placeOf({ protocol, address, port }: ListeningSocket): Place {
  if (address === undefined) return { protocol, family: 'link', scope: 'link', port }
  const { family, scope, text } = address
  return { protocol, family, scope, port, ...(isShared(address) ? { address: text } : {}) }
}

/** Sockets that are one listener in the section. */
export interface SocketGroup {
  readonly socket: ListeningSocket
  readonly inodes: string[]
}

/** Whether the section tells the address: where it is not the unit's own. */
const isShared = ({ scope }: SocketAddress): boolean => scope === 'any' || scope === 'loopback' || scope === 'multicast'

/** What a section tells apart, as short as can be: there may be tens of thousands. */
function placeKey({ protocol, address, port }: ListeningSocket): string {
  if (address === undefined) return `${protocol} ${port}`
  return `${protocol} ${isShared(address) ? address.text : `${address.family} ${address.scope}`} ${port}`
}

/** Sockets that differ only in what a section does not tell (SO_REUSEPORT, several own addresses) become one. */
export function groupByPlace(
  sockets: readonly ListeningSocket[],
  groups: Map<string, SocketGroup> = new Map(),
): Map<string, SocketGroup> {
  for (const socket of sockets) {
    const key = placeKey(socket)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { socket, inodes: [socket.inode] })
    else group.inodes.push(socket.inode)
  }
  return groups
}

/** At most MAX_LISTENERS groups without those `taken`, those first that can be reached from furthest away. */
export function widestFirst(groups: ReadonlyMap<string, SocketGroup>, taken = 0): readonly SocketGroup[] {
  const most = Math.max(0, MAX_LISTENERS - taken)
  if (groups.size <= most) return [...groups.values()]
  const byScope = new Map<SocketScope, string[]>(SOCKET_SCOPES.map((scope) => [scope, []]))
  for (const [key, { socket }] of groups) byScope.get(socket.address?.scope ?? 'link')?.push(key)
  const kept: SocketGroup[] = []
  for (const keys of byScope.values()) {
    // Without a function of ours, which would be called a million times.
    for (const key of keys.sort().slice(0, most - kept.length)) kept.push(groups.get(key) as SocketGroup)
  }
  return kept
}

export function withOwner({ socket, inodes }: SocketGroup, owners: SocketOwners): Listener {
  const place = placeOf(socket)
  const found = new Set<string>()
  let ownerless = false
  for (const inode of inodes) {
    const executables = owners.executables.get(inode)
    if (executables === undefined) ownerless = true
    else for (const executable of executables) found.add(executable)
  }
  const executables = [...found].sort().slice(0, MAX_EXECUTABLES)
  const unknown = owners.visibility === 'visible' ? 'none' : 'hidden'
  // One socket of several without a visible owner: naming only the other owners would hide that.
  const owner = executables.length === 0 || (ownerless && unknown === 'hidden') ? unknown : 'known'
  return { ...place, owner, ...(executables.length === 0 ? {} : { executables }) }
}
