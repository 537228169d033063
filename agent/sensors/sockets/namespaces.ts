import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { namespaceOf, type NamespacesSight, type Processes } from './processes.ts'
import { isContainer, readUnit } from './unit.ts'

/** A network namespace other than the first. */
export interface Namespace {
  /** Where its tables are. */
  readonly directory: string
  /** What other systems with the same set-up call it too. */
  readonly label: () => string
  /** Whether what was read is of this namespace: its process may have ended meanwhile. */
  readonly isStill: () => boolean
}

export interface Namespaces {
  readonly sight: NamespacesSight
  /** Where the tables are of that of process 1, or where that one is hidden, of our own. */
  readonly directory: string
  /** Whether that is our own. */
  readonly isOwn: boolean
  readonly others: readonly Namespace[]
}

const MAX_NAMESPACES = 256
const MAX_MEMBERS = 256
const OWN = '/proc/net'
const FIRST = '/proc/1/net'

export function findNamespaces(host: Host, processes: Processes): Namespaces {
  const { sight, members } = processes.namespaces()
  const [own, first] = [namespaceOf(host, OWN), namespaceOf(host, FIRST)]
  const isOwn = typeof first !== 'number' || first === own
  const directory = isOwn ? OWN : FIRST
  const current = isOwn ? own : first
  if (typeof current !== 'number') return { sight: 'unreadable', directory, isOwn, others: [] }
  const others: Namespace[] = []
  let bounded = false
  for (const [number, pids] of members) {
    if (number === current) continue
    // A process that was remembered may have ended, or gone elsewhere.
    const pid = pids.find((one) => namespaceOf(host, `/proc/${one}/net`) === number)
    if (pid === undefined) continue
    if (others.length >= MAX_NAMESPACES) {
      bounded = true
      break
    }
    const there = `/proc/${pid}/net`
    others.push({
      directory: there,
      label: () => labelOf(host, pid, pids),
      isStill: () => namespaceOf(host, there) === number,
    })
  }
  return { sight: bounded ? 'bounded' : sight, directory, isOwn, others }
}

/** Where ip-netns(8) keeps the names of namespaces. */
const NAMES = '/run/netns'
const MAX_NAMES = 1024

/**
 * The name that ip-netns(8) knows it by; otherwise who is in it: the kind of container, or the first by name of its
 * units, or of its programs.
 */
function labelOf(host: Host, member: string, pids: readonly string[]): string {
  const name = nameOf(host, member)
  if (name !== undefined) return printable(name, 256)
  const some = pids.slice(0, MAX_MEMBERS)
  const units = [...new Set(some.map((pid) => readUnit(host, pid)).filter((unit) => unit !== undefined))].sort()
  const unit = units.find(isContainer) ?? units.find((one) => !isSession(one)) ?? units[0]
  if (unit !== undefined) return unit
  const links = some.map((pid) => host.readLink(`/proc/${pid}/exe`))
  const [executable] = links.flatMap((link) => (link.status === 'found' ? [printable(link.value, 256)] : [])).sort()
  return executable ?? '(unknown)'
}

/** Somebody who looks around in it is not who made it. */
const isSession = (unit: string): boolean => !unit.endsWith('.service')

function nameOf(host: Host, pid: string): string | undefined {
  const namespace = host.stat(`/proc/${pid}/ns/net`)
  if (namespace.status !== 'found') return undefined
  const names = host.readDirectory(NAMES, MAX_NAMES)
  if (names.status !== 'found') return undefined
  return names.value.find((name) => {
    const stat = host.stat(`${NAMES}/${name}`)
    return stat.status === 'found' && stat.value.identity === namespace.value.identity
  })
}
