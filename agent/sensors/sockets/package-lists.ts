import { PACKAGE_NAME } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'

/** What some database answers: the package of each path that it knows, and whether it could be read as a whole. */
export interface FilesFound {
  readonly packages: ReadonlyMap<string, string>
  readonly complete: boolean
}

/** The names under which a database may have a file. */
export type Wanted = ReadonlyMap<string, readonly string[]>

const MAX_LISTS = 65_536
const MAX_LIST_BYTES = 16 * 1024 * 1024
/** Lists that are looked at before all of them are. */
const MAX_LIKELY = 16

/** dpkg's and opkg's: one file for each package, one line for each of its files. Undefined where there is none. */
export function searchLists(host: Host, directory: string, wanted: Wanted): FilesFound | undefined {
  const entries = host.readDirectory(directory, MAX_LISTS)
  if (entries.status === 'absent') return undefined
  const packages = new Map<string, string>()
  if (entries.status !== 'found') return { packages, complete: false }
  const lists = entries.value.filter((name) => name.endsWith('.list'))
  let complete = true
  const search = (list: string, paths: Iterable<string>): void => {
    // libc6:amd64.list
    const name = list.slice(0, -'.list'.length).replace(/:[^:]*$/, '')
    const file = host.readFile(`${directory}/${list}`, MAX_LIST_BYTES)
    if (file.status !== 'found' || !PACKAGE_NAME.test(name)) {
      complete = false
      return
    }
    for (const path of paths) {
      if (!packages.has(path) && wanted.get(path)?.some((one) => hasLine(file.value, one))) packages.set(path, name)
    }
  }
  for (const path of wanted.keys()) {
    for (const list of likely(lists, path)) {
      if (packages.has(path)) break
      search(list, [path])
    }
  }
  for (const list of lists) {
    if (packages.size === wanted.size) break
    search(list, wanted.keys())
  }
  return { packages, complete }
}

/** Lists of packages that are called as their program is: most are found there, and 700 files stay unread. */
function likely(lists: readonly string[], path: string): readonly string[] {
  const program = path.slice(path.lastIndexOf('/') + 1)
  const stem = program.replace(/d$/, '')
  const isAlike = (list: string): boolean =>
    (stem.length > 2 && list.includes(stem)) || program.startsWith(list.replace(/(?::[^:]*)?\.list$/, ''))
  return lists.filter(isAlike).slice(0, MAX_LIKELY)
}

const NEWLINE = 0x0a
const TAB = 0x09

/** A line that is the path. opkg has its mode behind it, after a tabulator. */
function hasLine(list: Buffer, path: string): boolean {
  for (let at = list.indexOf(path, 0, 'latin1'); at >= 0; at = list.indexOf(path, at + 1, 'latin1')) {
    const [before, after] = [list[at - 1] ?? NEWLINE, list[at + path.length] ?? NEWLINE]
    if (before === NEWLINE && (after === NEWLINE || after === TAB)) return true
  }
  return false
}

/** apk's: one file, with the directory, then its files, after the name of each package; apk-package(5). */
export function searchApk(host: Host, database: string, wanted: Wanted): FilesFound | undefined {
  const file = host.readFile(database, 4 * MAX_LIST_BYTES)
  if (file.status === 'absent') return undefined
  const packages = new Map<string, string>()
  if (file.status !== 'found') return { packages, complete: false }
  for (const [path, names] of wanted) {
    const found = names.map((name) => apkPackage(file.value, name)).find((name) => name !== undefined)
    if (found !== undefined && PACKAGE_NAME.test(found)) packages.set(path, found)
  }
  return { packages, complete: true }
}

function apkPackage(database: Buffer, path: string): string | undefined {
  const slash = path.lastIndexOf('/')
  const line = `\nR:${path.slice(slash + 1)}\n`
  const directory = path.slice(1, slash)
  for (let at = database.indexOf(line, 0, 'latin1'); at >= 0; at = database.indexOf(line, at + 1, 'latin1')) {
    const isThere = lineBefore(database, 'F', at) === directory
    if (isThere) return lineBefore(database, 'P', at)
  }
  return undefined
}

/** The last line of that letter. The first line of the file has no newline before it, and is a checksum's. */
function lineBefore(database: Buffer, letter: string, at: number): string | undefined {
  const start = database.lastIndexOf(`\n${letter}:`, at, 'latin1') + 3
  return start < 3 ? undefined : database.toString('latin1', start, database.indexOf(NEWLINE, start))
}
