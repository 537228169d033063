import { createHash } from 'node:crypto'
import type { Missing, Observation } from '../../../shared/posture/observation.ts'
import {
  MAX_NAMES,
  MAX_PROGRAMS,
  type Programs,
  type SetIdProgram,
  type WritableProgram,
} from '../../../shared/posture/sections/hardening.ts'
import type { Ownership } from '../host-entries.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { isRemote, type MountTable } from './mounts.ts'
import { ProgramDirectories, writableBy, type FoundProgram } from './program-directories.ts'

/** Where programs are looked for by name, by the system's own PATH; and what is above these directories. */
export const PATH_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const
const ABOVE = ['/', '/usr', '/usr/local'] as const

/** Where else programs are installed, and how far below. */
export const OTHER_DIRECTORIES: readonly (readonly [path: string, depth: number])[] = [
  ['/usr/libexec', 2],
  ['/usr/lib', 1],
  ['/usr/lib64', 1],
  ['/usr/lib32', 1],
  ['/lib', 1],
  ['/lib64', 1],
  ['/usr/local/lib', 1],
  ['/usr/local/libexec', 1],
  ['/opt', 2],
]
/** A directory for one architecture stands for the one above it. */
const MULTIARCH = /-linux-/

export const MAX_DIRECTORIES = 256
export const MAX_FILES = 8192

interface Pending {
  readonly path: string
  readonly depth: number
  readonly onPath: boolean
}

/** Collects what the walk finds. Paths are byte strings until they are in here. */
class Inventory {
  readonly setId: SetIdProgram[] = []
  readonly writable: WritableProgram[] = []
  readonly unread = new Map<string, Missing | 'other-file-system'>()
  limited = false

  add({ path, mode, owner, group, by, isSetId }: FoundProgram): void {
    const shown = printable(path, 512)
    if (isSetId) this.setId.push({ path: shown, mode: mode.toString(8).padStart(4, '0'), owner, group })
    if (by !== undefined) this.writable.push({ path: shown, by })
  }

  skip(path: string, why: Missing | 'other-file-system'): void {
    if (this.unread.size < MAX_NAMES) this.unread.set(printable(path, 512), why)
    else this.limited = true
  }
}

const directories = new ProgramDirectories()

/**
 * Walks a fixed list of directories: what runs with other rights than its user's, and what others than root could
 * replace. Links to directories are not followed, what is mounted below is named and not entered, and each directory is
 * read once, under the first of its names.
 */
export function readPrograms(host: Host, mounts: Observation<MountTable>): Programs {
  const inventory = new Inventory()
  const pending: Pending[] = [
    ...PATH_DIRECTORIES.map((path) => ({ path, depth: 0, onPath: true })),
    ...OTHER_DIRECTORIES.map(([path, depth]) => ({ path, depth, onPath: false })),
  ]
  for (const path of ABOVE) {
    const stat = host.stat(path)
    if (stat.status === 'found') addDirectory(path, stat.value, inventory)
    else if (stat.status !== 'absent') inventory.skip(path, stat.status)
  }
  const seen = new Set<string>()
  let files = 0
  for (let next = 0; next < pending.length; next++) {
    const { path, depth, onPath } = pending[next] as Pending
    if (next >= MAX_DIRECTORIES || files >= MAX_FILES) {
      inventory.limited = true
      break
    }
    if (isRemote(mounts, path)) {
      inventory.skip(path, 'other-file-system')
      continue
    }
    const stat = host.stat(path)
    if (stat.status === 'absent') continue
    if (stat.status !== 'found') {
      inventory.skip(path, stat.status)
      continue
    }
    // /bin is /usr/bin on most systems.
    if (stat.value.kind !== 'directory' || seen.has(stat.value.identity)) continue
    seen.add(stat.value.identity)
    if (onPath) addDirectory(path, stat.value, inventory)
    const found = directories.read(host, path, stat.value.identity, onPath)
    if ('missing' in found) {
      if (found.missing !== 'absent') inventory.skip(path, found.missing)
      continue
    }
    files += found.value.files
    for (const program of found.value.programs) inventory.add(program)
    for (const hidden of found.value.hidden) inventory.skip(hidden, 'no-permission')
    for (const name of depth > 0 ? found.value.directories : []) {
      const below = `${path}/${name}`
      if ('value' in mounts && mounts.value.mounts.has(below)) inventory.skip(below, 'other-file-system')
      else pending.push({ path: below, depth: MULTIARCH.test(name) ? depth : depth - 1, onPath: false })
    }
  }
  directories.keepOnly(host, pending)
  return contentOf(inventory)
}

function addDirectory(path: string, ownership: Ownership, inventory: Inventory): void {
  const by = writableBy(ownership)
  if (by !== undefined) inventory.writable.push({ path, by })
}

function contentOf({ setId, writable, unread, limited }: Inventory): Programs {
  const [setIdList, setIdCut] = bounded(setId, ({ path, mode, owner, group }) => `${path} ${mode} ${owner} ${group}`)
  const [writableList, writableCut] = bounded(writable, ({ path, by }) => `${path} ${by}`)
  return {
    setId: setIdList,
    ...(setIdCut === undefined ? {} : { setIdCut }),
    writable: writableList,
    ...(writableCut === undefined ? {} : { writableCut }),
    unread: [...unread].map(([path, why]) => ({ path, why })),
    limited,
  }
}

/** The first of them in the order of their names, and then a digest of all. */
function bounded<T>(all: readonly T[], line: (one: T) => string): [T[], Programs['setIdCut']] {
  if (all.length <= MAX_PROGRAMS) return [[...all], undefined]
  const lines = new Map(all.map((one) => [line(one), one]))
  const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : 1))
  const digest = createHash('sha256')
    .update(sorted.map(([text]) => `${text}\n`).join(''))
    .digest('hex')
  return [sorted.slice(0, MAX_PROGRAMS).map(([, one]) => one), { total: lines.size, digest }]
}
