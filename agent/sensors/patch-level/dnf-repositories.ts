import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { ChannelFiles } from '../update-channel/files.ts'
import { iniEntries, parseIni } from '../update-channel/ini.ts'
import { truth } from '../update-channel/manager.ts'
import { modifiedAt } from './updates-reading.ts'

const CONFIGURATION = ['/etc/dnf/dnf.conf', '/etc/yum.conf'] as const
const REPOSITORIES = ['/etc/yum.repos.d', '/etc/yum/repos.d', '/etc/distro.repos.d'] as const
const LOCKS = ['/etc/dnf/plugins/versionlock.list', '/etc/dnf/versionlock.toml'] as const
/** dnf 4 and dnf 5. */
const CACHES = ['/var/cache/dnf', '/var/cache/libdnf5'] as const
/** The repository's id and a digest of where it is. */
const CACHE_NAME = /^(.+)-[0-9a-f]{16}$/
const MAX_ENTRIES = 4096
const MAX_REPOMD_BYTES = 1024 * 1024
const MAX_REPOSITORIES = 128

export const DNF_UPDATES_READS = [...CONFIGURATION, ...REPOSITORIES, ...LOCKS, ...CACHES].join(', ')

/** An enabled repository and what was downloaded of it. */
export interface DnfRepository {
  readonly id: string
  /** Undefined where nothing was downloaded. */
  readonly repomd: string | undefined
  readonly primary: string | undefined
  /** Undefined where the repository has none. */
  readonly advisories: string | undefined
}

export interface DnfRepositories {
  readonly repositories: readonly DnfRepository[]
  readonly beyond: number
  /** dnf.conf(5): exclusions, costs and priorities, and what is locked. */
  readonly pins: boolean
  /** All that was looked at. */
  readonly inputs: readonly string[]
}

/** The enabled repositories, or undefined if what decides over them cannot be read. */
export function dnfRepositories(host: Host): DnfRepositories | undefined {
  const files = new ChannelFiles(host)
  const parts = REPOSITORIES.flatMap((directory) => files.parts(directory, /\.repo$/))
  const main = iniEntries(parseIni(CONFIGURATION.map((path) => files.text(path)).join('\n')), 'main')
  const enabled = new Map<string, ReadonlyMap<string, string>>()
  for (const path of parts) {
    for (const { name, entries } of parseIni(files.text(path)).sections) {
      if (name !== 'main' && truth(entries.get('enabled')) !== false) enabled.set(name, entries)
    }
  }
  if (files.unreadable.length > 0) return undefined
  const caches = cacheDirectories(host)
  const ids = [...enabled.keys()].sort()
  const repositories = ids.slice(0, MAX_REPOSITORIES).map((id) => downloaded(host, id, caches.get(id)))
  const restricts = (entries: ReadonlyMap<string, string>): boolean =>
    ['exclude', 'excludepkgs', 'includepkgs', 'priority', 'cost'].some((name) => entries.has(name))
  return {
    repositories,
    beyond: ids.length - repositories.length,
    pins: restricts(main) || [...enabled.values()].some(restricts) || LOCKS.some((path) => holdsLocks(host, path)),
    inputs: [
      ...CONFIGURATION,
      ...REPOSITORIES,
      ...parts,
      ...LOCKS,
      ...CACHES,
      ...repositories.flatMap(({ repomd, primary, advisories }) =>
        [repomd, primary, advisories].filter((path) => path !== undefined),
      ),
    ],
  }
}

/** By repository the newest of its directories: another release's may lie beside it. */
function cacheDirectories(host: Host): ReadonlyMap<string, string> {
  const newest = new Map<string, { path: string; modified: number }>()
  for (const cache of CACHES) {
    const names = host.readDirectory(cache, MAX_ENTRIES)
    for (const name of names.status === 'found' ? names.value : []) {
      const id = CACHE_NAME.exec(name)?.[1]
      const path = `${cache}/${name}`
      const modified = id === undefined ? undefined : modifiedAt(host, `${path}/repodata/repomd.xml`)
      if (id === undefined || modified === undefined) continue
      if (modified >= (newest.get(id)?.modified ?? modified)) newest.set(id, { path, modified })
    }
  }
  return new Map([...newest].map(([id, { path }]) => [id, path]))
}

function downloaded(host: Host, id: string, directory: string | undefined): DnfRepository {
  const repomd = directory === undefined ? undefined : `${directory}/repodata/repomd.xml`
  const text = repomd === undefined ? undefined : host.readText(repomd, MAX_REPOMD_BYTES)
  if (directory === undefined || text?.status !== 'found') {
    return { id: printable(id, 256), repomd, primary: undefined, advisories: undefined }
  }
  const places = new Map<string, string>()
  // Cut first, and looked at from one place of each piece on: a server may send what begins often and never ends.
  for (const piece of text.value.split('</data>').slice(0, -1)) {
    const data = piece.slice(Math.max(piece.lastIndexOf('<data'), 0))
    const type = /^<data\s+type="(\w+)"\s*>/.exec(data)?.[1]
    const location = data.indexOf('<location')
    const tag = location < 0 ? '' : data.slice(location, data.indexOf('>', location))
    // No way out of the directory.
    const href = /\shref="(repodata\/[A-Za-z0-9._-]+)"/.exec(tag)?.[1]
    if (type !== undefined && href !== undefined) places.set(type, `${directory}/${href}`)
  }
  /** With zchunk, which is not read here, a file of that kind is what was downloaded. */
  const placeOf = (type: string): string | undefined =>
    [places.get(type), places.get(`${type}_zck`)].find(
      (path) => path !== undefined && host.stat(path).status === 'found',
    ) ?? places.get(type)
  return { id: printable(id, 256), repomd, primary: placeOf('primary'), advisories: placeOf('updateinfo') }
}

function holdsLocks(host: Host, path: string): boolean {
  const file = host.readText(path, MAX_REPOMD_BYTES)
  if (file.status !== 'found') return file.status !== 'absent'
  return file.value.split('\n').some((line) => /^\s*[^#\s]/.test(line) && !/^\s*version\s*=/.test(line))
}
