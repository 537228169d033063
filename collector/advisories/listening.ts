import type { SocketsContent } from '../../shared/posture/sections/sockets.ts'
import type { Listener, Listening } from '../model/advisory.ts'

/** Ports of one package that are kept to be shown. */
const SHOWN = 8

/**
 * Packages whose programs listen. A list that was cut has the widest reaching listeners in it, and a socket whose owner
 * was not visible belongs to no package here: what this says is true, and it may lack something.
 */
export function listeningOf({ listeners }: SocketsContent): Listening {
  const found = new Map<string, { reach: Listener['reach']; ports: Set<string> }>()
  for (const { protocol, port, scope, family, programs = [] } of listeners) {
    if (family === 'link') continue
    const reach: Listener['reach'] = scope === 'loopback' ? 'local' : 'network'
    for (const { package: name } of programs) {
      if (name === undefined) continue
      const known = found.get(name)
      const isWider = known === undefined || (known.reach === 'local' && reach === 'network')
      const one = isWider ? { reach, ports: new Set<string>() } : known
      if (one.reach === reach && one.ports.size < SHOWN) one.ports.add(`${protocol}/${port}`)
      found.set(name, one)
    }
  }
  return Object.fromEntries([...found].map(([name, { reach, ports }]) => [name, { reach, ports: [...ports].sort() }]))
}
