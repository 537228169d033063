import type { Host } from '../host.ts'
import { apkDatabases } from '../packages/apk.ts'
import { dpkgDatabase, opkgDatabases } from '../packages/dpkg.ts'
import { rpmDatabases } from '../packages/rpm.ts'
import type { StateScalar } from '../sensor.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'

const MAX_PROCESSES = 32_768
const MAX_MAPS_BYTES = 4 * 1024 * 1024
/** To look at all processes costs the most of all that is looked at here, so that is done when packages have changed, or so often. */
const MAX_AGE_SECONDS = 15 * 60

/** The kernel's mark on the path of a file that is not there any more, proc(5). */
const DELETED = ' (deleted)'
/** address perms offset dev inode path */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ ..x. [0-9a-f]+ \S+ \d+ +(\/.*) \(deleted\)$/
/** What looks like a file, and never was one that an update could replace: proc(5), memfd_create(2), shm_open(3). */
const NO_FILE = /^\/(?:memfd:|dev\/|SYSV|\[aio\]|i915|drm)/
/** Where programs put code that they have made, and remove it at once. An executable of that place is one all the same. */
const SCRATCH = /^\/(?:tmp|var\/tmp|run)\//
/** systemd.unit(5), in the path of a process in cgroups(7), of either version. */
const SERVICE = /\/([^/\n]+\.service)(?:\/[^\n]*)?$/m

export interface StaleProcess {
  readonly pid: string
  /** Printable name of its executable; undefined where that may not be seen. */
  readonly program: string | undefined
  /** The unit of systemd that it belongs to, where it is one of a service. */
  readonly service: string | undefined
}

export interface StaleProcesses {
  /** Those that run code of files that were removed or replaced since. */
  readonly stale: readonly StaleProcess[]
  /** How many could not be examined. */
  readonly unseen: number
}

const kept = new Unchanged<StaleProcesses | undefined>(MAX_AGE_SECONDS)

/**
 * Which processes still run what an update has replaced. Returns undefined if the processes cannot be listed. Those that
 * are known to be stale are looked at each time: a restart is seen at once.
 */
export function findStaleProcesses(host: Host): StaleProcesses | undefined {
  const databases = [dpkgDatabase, ...apkDatabases, ...opkgDatabases, ...rpmDatabases]
  const all = kept.get(host, databases, () => lookAtAll(host))
  return all && { ...all, stale: all.stale.filter(({ pid }) => look(host, pid) === 'stale') }
}

function lookAtAll(host: Host): StaleProcesses | undefined {
  const entries = host.readDirectory('/proc', MAX_PROCESSES)
  if (entries.status !== 'found') return undefined
  let unseen = 0
  const stale: StaleProcess[] = []
  for (const pid of entries.value) {
    if (!/^\d+$/.test(pid)) continue
    const seen = look(host, pid)
    if (seen === 'unseen') unseen += 1
    if (seen === 'stale') stale.push({ pid, program: programOf(host, pid), service: serviceOf(host, pid) })
  }
  return { stale, unseen }
}

/** A process that ends meanwhile is as good as one that was restarted. */
function look(host: Host, pid: string): 'current' | 'stale' | 'unseen' {
  const maps = host.readText(`/proc/${pid}/maps`, MAX_MAPS_BYTES)
  if (maps.status === 'absent') return 'current'
  if (maps.status !== 'found') return isKernelThread(host, pid) ? 'current' : 'unseen'
  return runsDeletedCode(host, pid, maps.value) ? 'stale' : 'current'
}

/** Those have no command line, proc(5), and run no file. Everybody may read that. */
function isKernelThread(host: Host, pid: string): boolean {
  const commandLine = host.readText(`/proc/${pid}/cmdline`, MAX_MAPS_BYTES)
  return commandLine.status === 'found' && commandLine.value === ''
}

function runsDeletedCode(host: Host, pid: string, maps: string): boolean {
  // Most processes have none: one native search instead of a look at each line.
  if (!maps.includes(DELETED)) return false
  return maps.split('\n').some((line) => {
    const path = line.endsWith(DELETED) ? MAPPING.exec(line)?.[1] : undefined
    if (path === undefined || NO_FILE.test(path)) return false
    return !SCRATCH.test(path) || executableOf(host, pid) === path + DELETED
  })
}

function executableOf(host: Host, pid: string): string | undefined {
  const link = host.readLink(`/proc/${pid}/exe`)
  return link.status === 'found' ? link.value : undefined
}

function programOf(host: Host, pid: string): string | undefined {
  const link = executableOf(host, pid)
  if (link === undefined) return undefined
  const path = link.endsWith(DELETED) ? link.slice(0, -DELETED.length) : link
  return printable(path.slice(path.lastIndexOf('/') + 1), 64)
}

function serviceOf(host: Host, pid: string): string | undefined {
  const cgroups = host.readText(`/proc/${pid}/cgroup`, 64 * 1024)
  const service = cgroups.status === 'found' ? SERVICE.exec(cgroups.value)?.[1] : undefined
  return service === undefined ? undefined : printable(service, 64)
}

/** Bound of a text in the state. */
const MAX_PROGRAMS_TEXT = 200

/** What runs of replaced files depends on the moment: a restart ends it. So it is state. */
export function staleState(host: Host): Record<string, StateScalar> {
  const found = findStaleProcesses(host)
  if (found === undefined) return {}
  const { stale, unseen } = found
  const named = (name: 'program' | 'service'): string[] => [...new Set(stale.flatMap((one) => one[name] ?? []))].sort()
  const [programs, services] = [named('program'), named('service')]
  return {
    'system.stale-processes': stale.length,
    ...(unseen === 0 ? {} : { 'system.unseen-processes': unseen }),
    ...(programs.length === 0 ? {} : { 'system.stale-programs': boundedList(programs) }),
    ...(services.length === 0 ? {} : { 'system.stale-services': boundedList(services) }),
  }
}

function boundedList(names: readonly string[]): string {
  let text = ''
  for (const name of names) {
    const next = text === '' ? name : `${text} ${name}`
    if (Buffer.byteLength(next) > MAX_PROGRAMS_TEXT) return `${text} ...`
    text = next
  }
  return text
}
