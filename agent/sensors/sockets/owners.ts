import { programKey, type SocketProgram } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { originsOf } from './origins.ts'
import type { OwnersSight, Processes } from './processes.ts'
import { isContainer, readUnit } from './unit.ts'

/** Programs by ./sockets.ts's `programKey`, so that a program that holds a socket twice is one. */
export type Programs = ReadonlyMap<string, SocketProgram>

export interface SocketOwners {
  readonly visibility: OwnersSight
  /** What holds a socket, by its inode. */
  readonly programs: ReadonlyMap<string, Programs>
  /** Processes among them whose executable was replaced or removed since it was started. */
  readonly replaced: number
}

/** Finds what holds the wanted sockets: the executable, with its unit and its package. */
export function findOwners(host: Host, processes: Processes, wanted: ReadonlySet<string>): SocketOwners {
  const { sight, holders } = processes.holders(host, wanted)
  const images = new Map<string, Image>()
  for (const pids of holders.values()) for (const pid of pids) if (!images.has(pid)) images.set(pid, imageOf(host, pid))
  const files = new Set([...images.values()].flatMap(({ file }) => (file === undefined ? [] : [file])))
  const origins = originsOf(host, files)
  const shown = new Map<string, [key: string, program: SocketProgram]>()
  for (const [pid, { executable, unit, file }] of images) {
    const origin = (file === undefined ? undefined : origins.get(file)) ?? { origin: 'unknown' as const }
    const program = { executable, ...(unit === undefined ? {} : { unit }), ...origin }
    shown.set(pid, [programKey(program), program])
  }
  const programs = new Map<string, Programs>()
  for (const [inode, pids] of holders) {
    programs.set(inode, new Map(pids.flatMap((pid) => [shown.get(pid) as [string, SocketProgram]])))
  }
  const replaced = [...images.values()].filter((image) => image.replaced).length
  return { visibility: sight, programs, replaced }
}

interface Image {
  readonly executable: string
  readonly unit: string | undefined
  /** The path, as a byte string, of a file of this system; undefined for what may be a file of another one. */
  readonly file: string | undefined
  readonly replaced: boolean
}

/** The kernel's mark on the path of a file that is not there any more, proc(5). */
const DELETED = ' (deleted)'
const MAX_EXECUTABLE = 512
export const UNKNOWN_EXECUTABLE = '(unknown executable)'

/** Path of what a process runs, as a byte string and printable; undefined where its name cannot be had. */
export function executableOf(host: Host, pid: string) {
  const link = host.readLink(`/proc/${pid}/exe`)
  if (link.status !== 'found') return undefined
  const replaced = link.value.endsWith(DELETED)
  const path = replaced ? link.value.slice(0, -DELETED.length) : link.value
  return { path, replaced, shown: printable(path, MAX_EXECUTABLE) }
}

function imageOf(host: Host, pid: string): Image {
  const unit = readUnit(host, pid)
  const executable = executableOf(host, pid)
  // It holds the socket, so there is an owner, even if its name cannot be had.
  if (executable === undefined) return { executable: UNKNOWN_EXECUTABLE, unit, file: undefined, replaced: false }
  const { path, replaced, shown } = executable
  const isOurs = !isContainer(unit) && (replaced || isSameFile(host, pid, path))
  return { executable: shown, unit, file: isOurs ? path : undefined, replaced }
}

/** In another mount namespace the same path can be another file. Where ours has a directory hidden, process 1 has not. */
function isSameFile(host: Host, pid: string, path: string): boolean {
  const running = host.stat(`/proc/${pid}/exe`)
  if (running.status !== 'found') return false
  return ['', '/proc/1/root'].some((root) => {
    const here = host.stat(root + path)
    return here.status === 'found' && here.value.identity === running.value.identity
  })
}
