import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_PROCESSES = 32_768
const MAX_MAPS_BYTES = 4 * 1024 * 1024

/** The kernel's mark on the path of a file that is not there any more, proc(5). */
const DELETED = ' (deleted)'
/** address perms offset dev inode path */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ ..x. [0-9a-f]+ \S+ \d+ +(\/.*) \(deleted\)$/
/** What looks like a file, and never was one that an update could replace: proc(5), memfd_create(2), shm_open(3). */
const NO_FILE = /^\/(?:memfd:|dev\/|SYSV|\[aio\]|i915|drm)/

export interface StaleProcesses {
  /** Processes that run code of files that were removed or replaced since. */
  readonly stale: number
  /** Processes that could not be examined. */
  readonly unseen: number
  /** Printable names of the executables of those that are stale. */
  readonly programs: readonly string[]
}

/** Returns undefined if the processes cannot be listed. One that ends meanwhile is not stale. */
export function findStaleProcesses(host: Host): StaleProcesses | undefined {
  const entries = host.readDirectory('/proc', MAX_PROCESSES)
  if (entries.status !== 'found') return undefined
  let [stale, unseen] = [0, 0]
  const programs = new Set<string>()
  for (const pid of entries.value) {
    if (!/^\d+$/.test(pid)) continue
    const maps = host.readText(`/proc/${pid}/maps`, MAX_MAPS_BYTES)
    if (maps.status === 'absent') continue
    if (maps.status !== 'found') {
      if (!isKernelThread(host, pid)) unseen += 1
      continue
    }
    if (!runsDeletedCode(maps.value)) continue
    stale += 1
    const link = host.readLink(`/proc/${pid}/exe`)
    if (link.status === 'found') programs.add(printable(nameOf(link.value), 64))
  }
  return { stale, unseen, programs: [...programs].sort() }
}

/** Those have no command line, proc(5), and run no file. Everybody may read that. */
function isKernelThread(host: Host, pid: string): boolean {
  const commandLine = host.readText(`/proc/${pid}/cmdline`, MAX_MAPS_BYTES)
  return commandLine.status === 'found' && commandLine.value === ''
}

function runsDeletedCode(maps: string): boolean {
  // Most processes have none: one native search instead of a look at each line.
  if (!maps.includes(DELETED)) return false
  return maps.split('\n').some((line) => {
    const path = line.endsWith(DELETED) ? MAPPING.exec(line)?.[1] : undefined
    return path !== undefined && !NO_FILE.test(path)
  })
}

function nameOf(link: string): string {
  const path = link.endsWith(DELETED) ? link.slice(0, -DELETED.length) : link
  return path.slice(path.lastIndexOf('/') + 1)
}
