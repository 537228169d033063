import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_PROCESSES = 32_768
const MAX_DESCRIPTORS = 200_000

export interface SocketOwners {
  readonly visibility: SocketsContent['owners']
  /** Printable paths of the executables that hold a socket, by its inode. */
  readonly executables: ReadonlyMap<string, ReadonlySet<string>>
  /** Executables among them whose file was replaced or removed since it was started. */
  readonly replaced: number
}

/**
 * Finds the processes that hold the wanted sockets. All processes are looked at even when every socket has an owner
 * already: a second holder would otherwise depend on the order of pids. A process that ends meanwhile is skipped.
 *
 * @param isWanted whether a process is looked at, by its pid
 */
export function findOwners(
  host: Host,
  wanted: ReadonlySet<string>,
  isWanted: (pid: string) => boolean = () => true,
): SocketOwners {
  const executables = new Map<string, Set<string>>()
  if (wanted.size === 0) return { visibility: 'visible', executables, replaced: 0 }
  const entries = host.readDirectory('/proc', MAX_PROCESSES)
  if (entries.status !== 'found') {
    return { visibility: entries.status === 'too-large' ? 'bounded' : 'no-permission', executables, replaced: 0 }
  }
  // Process 1 always exists: without it, other processes are hidden as well (hidepid of proc(5), ProtectProc of systemd).
  let visibility: SocketOwners['visibility'] = entries.value.includes('1') ? 'visible' : 'no-permission'
  let budget = MAX_DESCRIPTORS
  let replaced = 0
  for (const pid of entries.value) {
    if (!isPid(pid) || !isWanted(pid)) continue
    const descriptors = host.readDirectory(`/proc/${pid}/fd`, budget)
    if (descriptors.status === 'absent') continue
    if (descriptors.status === 'too-large') visibility = 'bounded'
    else if (descriptors.status !== 'found') {
      if (visibility === 'visible') visibility = 'no-permission'
    } else {
      budget -= descriptors.value.length
      const held = heldSockets(host, pid, descriptors.value, wanted)
      if (held.length > 0) {
        const executable = readExecutable(host, pid)
        if (executable.replaced) replaced += 1
        for (const inode of held) addTo(executables, inode, executable.path)
      }
    }
  }
  return { visibility, executables, replaced }
}

const isPid = (name: string): boolean => {
  const first = name.charCodeAt(0)
  return first >= 0x31 && first <= 0x39
}

function heldSockets(host: Host, pid: string, descriptors: readonly string[], wanted: ReadonlySet<string>): string[] {
  const held: string[] = []
  for (const descriptor of descriptors) {
    const link = host.readLink(`/proc/${pid}/fd/${descriptor}`)
    // proc(5): `socket:[inode]`
    if (link.status !== 'found' || !link.value.startsWith('socket:[')) continue
    const inode = link.value.slice(8, -1)
    if (wanted.has(inode)) held.push(inode)
  }
  return held
}

/** The kernel's mark on the path of a file that is not there any more, proc(5). */
const DELETED = ' (deleted)'

function readExecutable(host: Host, pid: string): { path: string; replaced: boolean } {
  const link = host.readLink(`/proc/${pid}/exe`)
  // It holds the socket, so there is an owner, even if its name cannot be had.
  if (link.status !== 'found') return { path: '(unknown executable)', replaced: false }
  const replaced = link.value.endsWith(DELETED)
  const path = replaced ? link.value.slice(0, -DELETED.length) : link.value
  return { path: printable(path, 512), replaced }
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([value]))
  else known.add(value)
}
