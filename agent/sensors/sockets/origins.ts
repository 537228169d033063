import type { SocketProgram } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import { Unchanged } from '../unchanged.ts'
import { searchApk, searchLists, type FilesFound, type Wanted } from './package-lists.ts'

export type Origin = Pick<SocketProgram, 'origin' | 'package'>

const DPKG = '/var/lib/dpkg/info'
const OPKG = ['/usr/lib/opkg/info', '/var/lib/opkg/info'] as const
const APK = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'] as const
/** Databases that are not searched: what is in no other may be in them. */
const UNSEARCHED = ['/usr/lib/sysimage/rpm', '/var/lib/rpm', '/var/lib/dpkg/status.d'] as const

export const ORIGIN_READS = [DPKG, ...OPKG]
  .map((directory) => `${directory}/*.list`)
  .concat(APK)
  .join(', ')

const databases = [DPKG, '/var/lib/dpkg/status', ...OPKG, '/usr/lib/opkg/status', '/var/lib/opkg/status', ...APK]

/** What was found stands while no database has changed; at most so many, for programs come and go. */
const kept = new Unchanged<Map<string, Origin>>()
const MAX_KEPT = 4096

/** Which packages have these files, by their byte strings. */
export function originsOf(host: Host, paths: ReadonlySet<string>): ReadonlyMap<string, Origin> {
  if (paths.size === 0) return new Map()
  const known = kept.get(host, [...databases, ...UNSEARCHED], () => new Map())
  const missing = [...paths].filter((path) => !known.has(path)).sort()
  if (known.size + missing.length > MAX_KEPT) known.clear()
  if (missing.length > 0) for (const [path, origin] of search(host, missing)) known.set(path, origin)
  // A copy: what was known may have been dropped for others.
  return new Map([...paths].map((path) => [path, known.get(path) ?? { origin: 'unknown' }]))
}

function search(host: Host, paths: readonly string[]): ReadonlyMap<string, Origin> {
  const wanted: Wanted = new Map(paths.map((path) => [path, namesOf(host, path)]))
  const found: readonly FilesFound[] = [
    searchLists(host, DPKG, wanted),
    ...OPKG.map((directory) => searchLists(host, directory, wanted)),
    ...APK.map((database) => searchApk(host, database, wanted)),
  ].filter((one) => one !== undefined)
  const all =
    found.length > 0 &&
    found.every(({ complete }) => complete) &&
    UNSEARCHED.every((path) => host.stat(path).status === 'absent')
  return new Map(
    paths.map((path): [string, Origin] => {
      const name = found.map(({ packages }) => packages.get(path)).find((one) => one !== undefined)
      return [path, name === undefined ? { origin: all ? 'none' : 'unknown' } : { origin: 'package', package: name }]
    }),
  )
}

const MERGED = /^\/usr(\/(?:bin|sbin|lib[^/]*)\/.*)$/s

/** Where /bin is a link into /usr, packages may name a file under either, and it is one. */
function namesOf(host: Host, path: string): readonly string[] {
  const other = MERGED.exec(path)?.[1]
  if (other === undefined) return [path]
  const [one, two] = [host.stat(path), host.stat(other)]
  const isSame = one.status === 'found' && two.status === 'found' && one.value.identity === two.value.identity
  return isSame ? [path, other] : [path]
}
