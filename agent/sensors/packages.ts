import { MAX_PACKAGES, type Package, type PackageManagerName } from '../../shared/posture/sections/packages.ts'
import type { Host } from './host.ts'
import { APK_READS, readApk } from './packages/apk.ts'
import { DPKG_READS, OPKG_READS, readDpkg, readOpkg } from './packages/dpkg.ts'
import type { Inventory } from './packages/inventory.ts'
import { readRpm, RPM_READS } from './packages/rpm.ts'
import { SensorFailure, type Reading, type Sensor } from './sensor.ts'

type Reader = readonly [manager: PackageManagerName, read: (host: Host) => Inventory | 'unread' | undefined]

const READERS: readonly Reader[] = [
  ['dpkg', readDpkg],
  ['apk', readApk],
  ['opkg', readOpkg],
  ['rpm', readRpm],
]

/**
 * The first manager with any package is the system's own: dpkg and rpm can be installed on each other's systems, to
 * unpack foreign packages, and then have an empty database or a small one.
 */
function measure(host: Host): Reading<'packages'> {
  const found: [PackageManagerName, Inventory][] = []
  const unread: PackageManagerName[] = []
  for (const [manager, read] of READERS) {
    const inventory = found.some(hasPackages) ? attempt(() => read(host)) : read(host)
    if (inventory === 'unread') unread.push(manager)
    else if (inventory !== undefined) found.push([manager, inventory])
  }
  const main = found.find(hasPackages)
  const empty = unread.length === 0 ? found[0] : undefined
  if (main === undefined && empty === undefined) {
    return { status: 'not-supported', reason: unread.length > 0 ? 'package-database-format' : 'no-package-database' }
  }
  const [manager, { packages, malformed, incomplete }] = (main ?? empty) as [PackageManagerName, Inventory]
  const others = found.flatMap(([name, { packages: its }]) => (name !== manager && its.length > 0 ? [name] : []))
  others.push(...unread)
  return {
    status: 'measured',
    content: {
      manager,
      ...(others.length === 0 ? {} : { others }),
      packages: packages.length > MAX_PACKAGES ? byName(packages).slice(0, MAX_PACKAGES) : packages,
      total: packages.length,
      malformed,
      incomplete,
    },
  }
}

const hasPackages = ([, { packages, malformed }]: [PackageManagerName, Inventory]): boolean =>
  packages.length + malformed > 0

/** A second database that is damaged says nothing against the first. It is named all the same. */
function attempt(read: () => ReturnType<Reader[1]>): ReturnType<Reader[1]> {
  try {
    return read()
  } catch (error) {
    if (error instanceof SensorFailure) return 'unread'
    throw error
  }
}

/** Before a cut, so that the order of the database does not decide what is left out. */
const byName = (packages: readonly Package[]): Package[] => [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))

export const packagesSensor: Sensor<'packages'> = {
  id: 'packages',
  title: 'installed packages',
  section: 'packages',
  reads: [DPKG_READS, APK_READS, OPKG_READS, RPM_READS].join(', '),
  needs: 'nothing beyond reading these files',
  blindSpots:
    'software installed without a package manager; the packages of a second manager, which is only named; rpm databases other than SQLite, and what their write-ahead log holds; ' +
    'changes that dpkg has not merged yet from /var/lib/dpkg/updates; files changed after installation; packages ' +
    'inside containers',
  budget: { cpuMs: 60 },
  remedy:
    'Check that the package database is intact: `dpkg --audit`, `apk audit`, `opkg list-installed`. rpm --verifydb`.',
  measure,
}
