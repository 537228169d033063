import type { Missing, Observation } from '../../../shared/posture/observation.ts'
import { MAX_LISTS, MAX_PENDING, type PackageList, type Updates } from '../../../shared/posture/sections/patch-level.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Host } from '../host.ts'
import { dpkgDatabase, readDpkg } from '../packages/dpkg.ts'
import { SensorFailure } from '../sensor.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import { readRelease, type ReleaseFacts } from './apt-release.ts'
import { enabledLists, sourceFiles, type EnabledList } from './apt-sources.ts'
import { Candidates } from './candidates.ts'
import { readPackageList } from './package-list.ts'

const LISTS = '/var/lib/apt/lists'
const MAX_ENTRIES = 4096
const PREFERENCES = ['/etc/apt/preferences', '/etc/apt/preferences.d'] as const
const IS_LIST = /Packages(?:\.(?:gz|lz4|xz|bz2|zst|lzma))?$/
/** Of a list's name after the prefix of its component. */
const ARCHITECTURE = /^([a-z0-9-]+)_Packages/

export const APT_UPDATES_READS = `${LISTS}, /etc/apt/sources.list(.d), /etc/apt/preferences(.d)`

export interface AptUpdates {
  readonly updates: Observation<Updates>
  /** Seconds since 1970 of the newest release file that was compared with. */
  readonly newestRelease: number | undefined
}

const kept = new Unchanged<Promise<AptUpdates>>()

/** What apt's own downloaded lists offer for the installed packages. Asks no server and runs nothing. */
export function readAptUpdates(host: Host): Promise<AptUpdates> | AptUpdates {
  const packages = installedPackages(host)
  if ('missing' in packages) return unknown(packages.missing)
  const names = host.readDirectory(LISTS, MAX_ENTRIES)
  if (names.status !== 'found') return unknown(names.status)
  const sources = sourceFiles(host)
  if (sources === undefined) return unknown('unreadable')
  const downloaded = names.value.filter((name) => /(?:Release|Packages(?:\.[a-z0-9]+)?)$/.test(name))
  const inputs = [LISTS, ...downloaded.map((name) => `${LISTS}/${name}`), ...sources, ...PREFERENCES, dpkgDatabase]
  return kept.get(host, inputs, () => compare(host, packages.value, names.value, sources))
}

const unknown = (missing: Missing): AptUpdates => ({ updates: { missing }, newestRelease: undefined })

/** A damaged database is told by the section on packages; here it is the reason for one fact that is missing. */
function installedPackages(host: Host): Observation<readonly Package[]> {
  try {
    const inventory = readDpkg(host)
    return inventory === undefined ? { missing: 'absent' } : { value: inventory.packages }
  } catch (error) {
    if (!(error instanceof SensorFailure)) throw error
    const { reading } = error
    if (reading.status === 'no-permission') return { missing: 'no-permission' }
    return { missing: reading.status === 'failed' && reading.code === 'input-too-large' ? 'too-large' : 'unreadable' }
  }
}

async function compare(
  host: Host,
  packages: readonly Package[],
  names: readonly string[],
  sources: readonly string[],
): Promise<AptUpdates> {
  // dpkg itself is of the architecture that the system has.
  const native = packages.find(({ name }) => name === 'dpkg')?.architecture ?? 'all'
  const candidates = new Candidates(packages, native)
  const lists: PackageList[] = []
  const unclaimed = new Set(names.filter((name) => IS_LIST.test(name)))
  const releases = new Map<string, ReleaseFacts>()
  const enabled = enabledLists(host, sources, native)
  if (enabled.isPartial) return unknown('unreadable')
  for (const source of enabled.lists) {
    const release = releases.get(source.release) ?? readRelease(host, `${LISTS}/${source.release}`)
    releases.set(source.release, release)
    const files = [...unclaimed].filter((name) => name.startsWith(source.prefix))
    if (files.length === 0) lists.push({ name: printable(source.prefix, 512), status: 'absent', security: false })
    for (const file of files) {
      unclaimed.delete(file)
      const architecture = architectureOf(file, source, native)
      const status = await readPackageList(host, `${LISTS}/${file}`, candidates.installed, (listed) =>
        candidates.offer(listed, architecture, release),
      )
      lists.push({ name: printable(file, 512), status, security: release.isSecurity })
    }
  }
  for (const name of unclaimed) lists.push({ name: printable(name, 512), status: 'not-enabled', security: false })
  const pending = candidates.pending()
  const times = [...releases.values()].flatMap(({ modified }) => (modified === undefined ? [] : [modified]))
  return {
    updates: {
      value: {
        manager: 'apt',
        pending: pending.slice(0, MAX_PENDING),
        total: pending.length,
        security: pending.filter(({ security }) => security).length,
        // By name before the cut, so that the order of the sources does not decide what is left out.
        lists: lists.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MAX_LISTS),
        unnamed: Math.max(0, lists.length - MAX_LISTS) + enabled.beyond,
        incomparable: candidates.incomparable,
        pins: hasPins(host),
      },
    },
    newestRelease: times.length === 0 ? undefined : Math.max(...times),
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
