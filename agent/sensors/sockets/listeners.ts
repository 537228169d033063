import {
  listenerSubject,
  MAX_EXECUTABLES,
  MAX_LISTENERS,
  SOCKET_SCOPES,
  type Listener,
} from '../../../shared/posture/sections/sockets.ts'
import type { SocketOwners } from './owners.ts'
import type { ListeningSocket } from './proc-net.ts'

type Place = Omit<Listener, 'owner' | 'executables'>

/** Addresses of the unit's own would make every unit's section a different one: there the scope says enough. */
function placeOf({ protocol, address, port }: ListeningSocket): Place {
  const { family, scope, text } = address
  const same = scope === 'any' || scope === 'loopback' || scope === 'multicast'
  return { protocol, family, scope, port, ...(same ? { address: text } : {}) }
}

/** Sockets that differ only in what a section does not tell (SO_REUSEPORT, several own addresses) become one. */
export function groupByPlace(
  sockets: readonly ListeningSocket[],
): ReadonlyMap<string, { place: Place; inodes: string[] }> {
  const groups = new Map<string, { place: Place; inodes: string[] }>()
  for (const socket of sockets) {
    const place = placeOf(socket)
    const subject = listenerSubject(place)
    const group = groups.get(subject)
    if (group === undefined) groups.set(subject, { place, inodes: [socket.inode] })
    else group.inodes.push(socket.inode)
  }
  return groups
}

/** At most MAX_LISTENERS places, those first that can be reached from furthest away. */
export function widestFirst<T extends { place: Place }>(groups: ReadonlyMap<string, T>): readonly T[] {
  if (groups.size <= MAX_LISTENERS) return [...groups.values()]
  return [...groups]
    .map(([subject, group]) => ({ subject, group, rank: SOCKET_SCOPES.indexOf(group.place.scope) }))
    .sort((a, b) => a.rank - b.rank || (a.subject < b.subject ? -1 : 1))
    .slice(0, MAX_LISTENERS)
    .map(({ group }) => group)
}

export function withOwner(place: Place, inodes: readonly string[], owners: SocketOwners): Listener {
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
