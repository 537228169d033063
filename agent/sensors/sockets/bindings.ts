import type { SocketSight } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'

/** What /proc does not tell of a socket. */
export interface Binding {
  /** A byte string; empty for every interface. */
  readonly interface: string
  /** Undefined for IPv4. */
  readonly ipv6Only?: boolean
}

export interface Bindings {
  readonly sight: SocketSight
  readonly byInode: ReadonlyMap<string, Binding>
}

/** `tcp LISTEN 0 128 [::]%eth0:22 [::]:* ino:1205 sk:3 cgroup:/a b v6only:1 <->` */
const HEAD = /^\S+ +\S+ +\d+ +\d+ +(\S+) +\S+ +(?:uid:\d+ +)?ino:(\d+) +sk:/
/**
 * The marks of both directions at the end are of netlink alone: without them ss has read /proc instead, and does not
 * know interfaces. The control group's path before may hold anything but a line break.
 */
const TAIL = / (?:v6only:([01]) )?[<-]-[->] *$/
const MAX_TAIL = 256

/** Behind an address, before its port: `0.0.0.0%eth0:68`, `[fe80::1]%eth0:546`, `*%eth0:53`. */
const INTERFACE = /%([^%:\]]+):[^:]*$/

/** Reads what ss prints of sockets, by inode; ss(8) of iproute2. */
export function parseBindings(text: string): ReadonlyMap<string, Binding> {
  const byInode = new Map<string, Binding>()
  for (const line of text.split('\n')) {
    const [head, tail] = [HEAD.exec(line), TAIL.exec(line.slice(-MAX_TAIL))]
    if (head === null || tail === null) continue
    const [, local = '', inode = ''] = head
    const [, only] = tail
    const bound = INTERFACE.exec(local)?.[1] ?? ''
    byInode.set(inode, { interface: bound, ...(only === undefined ? {} : { ipv6Only: only === '1' }) })
  }
  return byInode
}

const none: ReadonlyMap<string, Binding> = new Map()

/** @param isOwn whether ss sees the network namespace that is measured */
export async function readBindings(host: Host, isOwn: boolean): Promise<Bindings> {
  const output = await host.run('socket-bindings')
  if (output.status !== 'found') return { sight: output.status, byInode: none }
  return isOwn ? { sight: 'visible', byInode: parseBindings(output.value) } : { sight: 'no-permission', byInode: none }
}

const MAX_INTERFACES = 1024

/** Names by number, for packet sockets, whose table tells the number. */
export function readInterfaces(host: Host): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  const entries = host.readDirectory('/sys/class/net', MAX_INTERFACES)
  for (const name of entries.status === 'found' ? entries.value : []) {
    const index = host.readText(`/sys/class/net/${name}/ifindex`, 32)
    if (index.status === 'found' && /^\d{1,10}\n?$/.test(index.value)) names.set(Number(index.value), name)
  }
  return names
}
