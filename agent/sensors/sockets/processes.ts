import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'

const MAX_PROCESSES = 32_768
const MAX_DESCRIPTORS = 200_000
/** With more sockets than that nothing is remembered. */
const MAX_REMEMBERED_SOCKETS = 8192

/**
 * How long a process that held none of the sockets is taken to hold none still. A socket that is new, a process that
 * is new, and those that held one are looked at each time; what can stay unseen so long is a socket that was handed to
 * an older process, or inherited by one that got the number of another.
 */
export const PROCESS_MEMORY_SECONDS = 1800

export type OwnersSight = SocketsContent['owners']
export type NamespacesSight = SocketsContent['namespaces']

interface Process {
  /** Number of its network namespace, as /proc tells it without privileges; undefined for a process that has ended. */
  readonly namespace: number | undefined | 'hidden'
  /** Which of the sockets it held when it was last looked at; undefined before that. */
  holds?: readonly string[] | 'hidden'
}

/**
 * The files of /proc/PID/net are others for each network namespace, and have numbers of their own that everybody may
 * see. The links of /proc/PID/ns, which would tell the same, take CAP_SYS_PTRACE.
 */
export function namespaceOf(host: Host, directory: string): number | undefined | 'hidden' {
  const stat = host.stat(`${directory}/dev`)
  if (stat.status === 'found') return stat.value.inode
  return stat.status === 'absent' ? undefined : 'hidden'
}

/** What is known of the processes of one host, from one measurement to the next. */
export class Processes {
  #known = new Map<string, Process>()
  #since = Number.NEGATIVE_INFINITY
  #sockets: ReadonlySet<string> = new Set()
  #list: OwnersSight = 'no-permission'

  /**
   * Lists the processes, and in which network namespace each is. To be called before the rest.
   *
   * @param isWanted whether a process is looked at, by its pid
   */
  list(host: Host, isWanted: (pid: string) => boolean = () => true): void {
    const age = host.now() - this.#since
    if (!(age >= 0 && age < PROCESS_MEMORY_SECONDS)) this.#forget(host)
    const entries = host.readDirectory('/proc', MAX_PROCESSES)
    if (entries.status !== 'found') {
      this.#forget(host)
      this.#list = entries.status === 'too-large' ? 'bounded' : 'no-permission'
      return
    }
    const known = new Map<string, Process>()
    for (const pid of entries.value) {
      if (!isPid(pid) || !isWanted(pid)) continue
      known.set(pid, this.#known.get(pid) ?? { namespace: namespaceOf(host, `/proc/${pid}/net`) })
    }
    this.#known = known
    // Process 1 always exists: without it, others are hidden as well (hidepid of proc(5), ProtectProc of systemd).
    this.#list = entries.value.includes('1') ? 'visible' : 'no-permission'
  }

  #forget(host: Host): void {
    this.#known = new Map()
    this.#since = host.now()
    this.#sockets = new Set()
  }

  /** Processes by their network namespace, and whether there may be others. */
  namespaces(): { readonly sight: NamespacesSight; readonly members: ReadonlyMap<number, readonly string[]> } {
    const members = new Map<number, string[]>()
    let sight: NamespacesSight = this.#list
    for (const [pid, { namespace }] of this.#known) {
      if (namespace === 'hidden') sight = 'no-permission'
      else if (namespace !== undefined) {
        const others = members.get(namespace)
        if (others === undefined) members.set(namespace, [pid])
        else others.push(pid)
      }
    }
    return { sight, members }
  }

  /**
   * The processes that hold each of the wanted sockets, by inode. All are asked even when every socket has an owner
   * already: a second holder would otherwise depend on the order of pids. One that ends meanwhile is skipped.
   */
  holders(
    host: Host,
    wanted: ReadonlySet<string>,
  ): { readonly sight: OwnersSight; readonly holders: ReadonlyMap<string, readonly string[]> } {
    const holders = new Map<string, string[]>()
    if (wanted.size === 0) return { sight: 'visible', holders }
    const isRemembered = wanted.size <= MAX_REMEMBERED_SOCKETS && [...wanted].every((inode) => this.#sockets.has(inode))
    if (!isRemembered) this.#sockets = wanted.size <= MAX_REMEMBERED_SOCKETS ? new Set(wanted) : new Set()
    const sockets = isRemembered ? this.#sockets : wanted
    let sight = this.#list
    let budget = MAX_DESCRIPTORS
    for (const [pid, process] of this.#known) {
      // Of those that held none, and of those that may not be looked at, this is known.
      const skip = isRemembered && process.holds !== undefined && process.holds.length === 0
      if (!skip && !(isRemembered && process.holds === 'hidden')) {
        const descriptors = host.readDirectory(`/proc/${pid}/fd`, budget)
        if (descriptors.status === 'found') {
          budget -= descriptors.value.length
          process.holds = heldSockets(host, pid, descriptors.value, sockets)
        } else if (descriptors.status === 'absent') process.holds = []
        else {
          delete process.holds
          if (descriptors.status === 'too-large') sight = 'bounded'
          else process.holds = 'hidden'
        }
      }
      const { holds = [] } = process
      if (holds === 'hidden') sight = sight === 'visible' ? 'no-permission' : sight
      else for (const inode of holds) if (wanted.has(inode)) addTo(holders, inode, pid)
    }
    return { sight, holders }
  }
}

const isPid = (name: string): boolean => {
  const first = name.charCodeAt(0)
  return first >= 0x31 && first <= 0x39
}

function heldSockets(
  host: Host,
  pid: string,
  descriptors: readonly string[],
  sockets: ReadonlySet<string>,
): readonly string[] {
  const held: string[] = []
  for (const descriptor of descriptors) {
    const link = host.readLink(`/proc/${pid}/fd/${descriptor}`)
    // proc(5): `socket:[inode]`
    if (link.status !== 'found' || !link.value.startsWith('socket:[')) continue
    const inode = link.value.slice(8, -1)
    if (sockets.has(inode)) held.push(inode)
  }
  return held
}

function addTo(map: Map<string, string[]>, key: string, value: string): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}
