import type { PackageList } from '../../../shared/posture/sections/patch-level.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { dpkgDatabase, readDpkg } from '../packages/dpkg.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import { readRelease, type ReleaseFacts } from './apt-release.ts'
import { enabledLists, sourceFiles, type EnabledList } from './apt-sources.ts'
import { Candidates } from './candidates.ts'
import { KeptLists } from './kept-lists.ts'
import { readPackageList } from './package-list.ts'
import {
  boundedUpdates,
  installedPackages,
  newestOfTimes,
  unknownUpdates,
  type UpdatesReading,
} from './updates-reading.ts'

const LISTS = '/var/lib/apt/lists'
const MAX_ENTRIES = 4096
const PREFERENCES = ['/etc/apt/preferences', '/etc/apt/preferences.d'] as const
const IS_LIST = /Packages(?:\.(?:gz|lz4|xz|bz2|zst|lzma))?$/
/** Of a list's name after the prefix of its component. */
const ARCHITECTURE = /^([a-z0-9-]+)_Packages/

export const APT_UPDATES_READS = `${LISTS}, /etc/apt/sources.list(.d), /etc/apt/preferences(.d)`

const kept = new Unchanged<Promise<UpdatesReading>>()
const keptLists = new KeptLists()

/** What apt's own downloaded lists offer. Undefined on a system without dpkg's database. */
export async function readAptUpdates(host: Host): Promise<UpdatesReading | undefined> {
  const packages = await installedPackages(host, readDpkg)
  if ('missing' in packages) return packages.missing === 'absent' ? undefined : unknownUpdates(packages.missing)
  const names = host.readDirectory(LISTS, MAX_ENTRIES)
  if (names.status !== 'found') return unknownUpdates(names.status)
  const sources = sourceFiles(host)
  if (sources === undefined) return unknownUpdates('unreadable')
  const downloaded = names.value.filter((name) => /(?:Release|Packages(?:\.[a-z0-9]+)?)$/.test(name))
  const inputs = [LISTS, ...downloaded.map((name) => `${LISTS}/${name}`), ...sources, ...PREFERENCES, dpkgDatabase]
  return kept.get(host, inputs, () => compare(host, packages.value, names.value, sources))
}

async function compare(
  host: Host,
  packages: readonly Package[],
  names: readonly string[],
  sources: readonly string[],
): Promise<UpdatesReading> {
  // dpkg itself is of the architecture that the system has.
  const native = packages.find(({ name }) => name === 'dpkg')?.architecture ?? 'all'
  const candidates = new Candidates(packages, native)
  const lists: PackageList[] = []
  const unclaimed = new Set(names.filter((name) => IS_LIST.test(name)))
  const releases = new Map<string, ReleaseFacts>()
  const read = new Set<string>()
  const enabled = enabledLists(host, sources, native)
  if (enabled.isPartial) return unknownUpdates('unreadable')
  for (const source of enabled.lists) {
    const release = releases.get(source.release) ?? readRelease(host, `${LISTS}/${source.release}`)
    releases.set(source.release, release)
    const files = [...unclaimed].filter((name) => name.startsWith(source.prefix))
    if (files.length === 0) lists.push({ name: printable(source.prefix, 512), status: 'absent', security: false })
    for (const file of files) {
      unclaimed.delete(file)
      const architecture = architectureOf(file, source, native)
      const path = `${LISTS}/${file}`
      const { status, listed } = await keptLists.get(host, path, candidates.installed, () =>
        readPackageList(host, path, candidates.installed),
      )
      read.add(path)
      for (const one of listed) candidates.offer(one, architecture, release)
      lists.push({ name: printable(file, 512), status, security: release.isSecurity })
    }
  }
  for (const name of unclaimed) lists.push({ name: printable(name, 512), status: 'not-enabled', security: false })
  keptLists.keepOnly(host, read)
  return {
    updates: {
      value: boundedUpdates({
        manager: 'apt',
        pending: candidates.pending(),
        securityTold: true,
        lists,
        beyond: enabled.beyond,
        incomparable: candidates.incomparable,
        pins: hasPins(host),
      }),
    },
    newest: newestOfTimes([...releases.values()].map(({ modified }) => modified)),
  }
}

const architectureOf = (file: string, { prefix }: EnabledList, native: string): string =>
  ARCHITECTURE.exec(file.slice(prefix.length))?.[1] ?? native

/** What cannot be looked at could hold pins. */
function hasPins(host: Host): boolean {
  const [file, directory] = PREFERENCES
  const parts = host.readDirectory(directory, MAX_ENTRIES)
  if (host.stat(file).status !== 'absent') return true
  return parts.status === 'found'
    ? parts.value.some((name) => /^[A-Za-z0-9._-]+$/.test(name))
    : parts.status !== 'absent'
}
