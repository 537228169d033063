import type { SocketSight } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import type { ListeningSocket } from './proc-net.ts'

export interface VsockListeners {
  readonly sight: SocketSight
  readonly sockets: readonly ListeningSocket[]
  readonly malformed: number
}

const nothing = { sockets: [], malformed: 0 }

/**
 * Sockets of vsock(7), which /proc does not list. They are asked for where the kernel has them at all. ss says
 * nothing, and ends well, where the kernel lacks the module that would answer: then nothing was seen.
 */
export async function readVsock(host: Host): Promise<VsockListeners> {
  const has = hasVsock(host)
  if (has !== true) return { sight: has === false ? 'visible' : 'no-permission', ...nothing }
  const output = await host.run('vsock-listeners')
  if (output.status !== 'found') return { sight: output.status, ...nothing }
  const listeners = parseVsock(output.value)
  const isAnswered = listeners.sockets.length > 0 || answersVsock(host)
  return { sight: isAnswered ? 'visible' : 'unreadable', ...listeners }
}

function hasVsock(host: Host): boolean | 'no-permission' {
  if (host.stat('/dev/vsock').status !== 'absent') return true
  const protocols = host.readText('/proc/net/protocols', 64 * 1024)
  if (protocols.status === 'found') return /^AF_VSOCK /m.test(protocols.value)
  return protocols.status === 'absent' ? false : 'no-permission'
}

/** Whether the kernel has vsock_diag: loaded, which ss has had done, or built in. */
function answersVsock(host: Host): boolean {
  if (host.stat('/sys/module/vsock_diag').status === 'found') return true
  const release = host.readText('/proc/sys/kernel/osrelease', 256)
  if (release.status !== 'found' || !/^[\w.+~-]+\n?$/.test(release.value)) return false
  const builtIn = host.readText(`/lib/modules/${release.value.trim()}/modules.builtin`, 4 * 1024 * 1024)
  return builtIn.status === 'found' && builtIn.value.includes('/vsock_diag.ko')
}

/** `v_str LISTEN 0 0 *:1024 *:* ino:4711 sk:1`: a context identifier, or any, and the port. */
const LISTENER = /^v_\w+ +(?:LISTEN|UNCONN) +\d+ +\d+ +(\*|\d{1,10}):(\*|\d{1,10}) +\S+ +(?:uid:\d+ +)?ino:(\d+) /
const LOCAL = '1'

/** Reads what ss prints, strictly: a line that is something else is counted. */
export function parseVsock(text: string): Omit<VsockListeners, 'sight'> {
  const sockets: ListeningSocket[] = []
  let malformed = 0
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('\t')) continue
    const [, context, port, inode = ''] = LISTENER.exec(`${line} `) ?? []
    if (inode === '' || (port !== '*' && Number(port) > 0xffffffff)) malformed += 1
    // Without a port it is not bound.
    else if (port !== '*') {
      const scope = context === '*' ? 'any' : context === LOCAL ? 'loopback' : 'address'
      sockets.push({ protocol: 'vsock', address: undefined, port: Number(port), inode, scope })
    }
  }
  return { sockets, malformed }
}
