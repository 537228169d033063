import type { Observation } from '../../../shared/posture/observation.ts'
import type { SetIdProgram, WritableProgram } from '../../../shared/posture/sections/hardening.ts'
import type { HostEntry, Ownership } from '../host-entries.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { Unchanged } from '../unchanged.ts'

const MAX_ENTRIES = 8192
/** A directory does not tell that the mode of a file in it was changed: it is looked at again after this time. */
export const MAX_AGE_SECONDS = 3600

const SET_ID = 0o6000
const EXECUTABLE = 0o111
/** Most of what is below /usr/lib is not run by its name: to look at all of it would take most of the time. */
export const DATA_ENDINGS = [
  'a',
  'conf',
  'h',
  'json',
  'la',
  'o',
  'pc',
  'pm',
  'py',
  'pyc',
  'so',
  'txt',
  'whl',
  'xml',
] as const
const DATA = new RegExp(`\\.(?:${DATA_ENDINGS.join('|')}|so\\.[\\d.]+)$`)

export interface FoundProgram {
  readonly path: string
  readonly mode: number
  readonly owner: SetIdProgram['owner']
  readonly group: SetIdProgram['group']
  readonly isSetId: boolean
  readonly by: WritableProgram['by'] | undefined
}

/** What one directory holds, as far as it is of interest. Byte strings. */
interface DirectoryContent {
  readonly programs: readonly FoundProgram[]
  /** Names of the directories in it. */
  readonly directories: readonly string[]
  /** Paths of links whose end may not be looked at. */
  readonly hidden: readonly string[]
  /** How many files were looked at. */
  readonly files: number
}

/** Who beside root may write. Members of a group with number 0 are as good as root. */
export function writableBy({ mode, uid, gid }: Ownership): WritableProgram['by'] | undefined {
  if ((mode & 0o002) !== 0) return 'everybody'
  if ((mode & 0o020) !== 0 && gid !== 0) return 'group'
  return uid === 0 ? undefined : 'owner'
}

/** Below 1000 are the system's own, above are those of people: login.defs(5), UID_MIN. Numbers differ between units. */
const classOf = (id: number): SetIdProgram['owner'] => (id === 0 ? 'root' : id < 1000 ? 'system' : 'user')

/** Reads directories of programs, and remembers those that have not changed. */
export class ProgramDirectories {
  readonly #kept = new WeakMap<Host, Map<string, Unchanged<Observation<DirectoryContent>>>>()

  read(host: Host, path: string, identity: string, onPath: boolean): Observation<DirectoryContent> {
    const kept = this.#kept.get(host) ?? new Map<string, Unchanged<Observation<DirectoryContent>>>()
    this.#kept.set(host, kept)
    const directory = kept.get(path) ?? new Unchanged<Observation<DirectoryContent>>(MAX_AGE_SECONDS)
    kept.set(path, directory)
    return directory.getAs(host, identity, () => readDirectory(host, path, onPath))
  }

  /** Forgets all others. */
  keepOnly(host: Host, paths: readonly { readonly path: string }[]): void {
    const wanted = new Set(paths.map(({ path }) => path))
    const kept = this.#kept.get(host)
    for (const path of kept?.keys() ?? []) if (!wanted.has(path)) kept?.delete(path)
  }
}

function readDirectory(host: Host, path: string, onPath: boolean): Observation<DirectoryContent> {
  const entries = host.readEntries(path, {
    maxEntries: MAX_ENTRIES,
    followLinks: onPath,
    ...(onPath ? {} : { wanted: (name: string) => !DATA.test(name) }),
  })
  return observed(entries, (all) => ({
    value: {
      programs: all.flatMap((entry) => programOf(entry, path, onPath)),
      directories: all.filter(({ kind }) => kind === 'directory').map(({ name }) => name),
      hidden: all.filter(({ kind }) => kind === 'hidden').map(({ name }) => `${path}/${name}`),
      files: all.filter(({ kind }) => kind === 'file' || kind === 'link').length,
    },
  }))
}

/** A link has the mode of what it leads to: that is set-id under its own name, and writable under this one. */
function programOf(entry: HostEntry, directory: string, onPath: boolean): readonly FoundProgram[] {
  if (entry.kind !== 'file' && entry.kind !== 'link') return []
  const { name, mode, uid, gid, kind } = entry
  const isSetId = kind === 'file' && (mode & SET_ID) !== 0
  const by = onPath && (mode & EXECUTABLE) !== 0 ? writableBy(entry) : undefined
  if (!isSetId && by === undefined) return []
  return [{ path: `${directory}/${name}`, mode, owner: classOf(uid), group: classOf(gid), isSetId, by }]
}
