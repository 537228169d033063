import {
  MAX_PACKAGES,
  type Package,
  type PackageManagerName,
  type PackagesContent,
} from '../../shared/posture/sections/packages.ts'
import { BUNDLES_READS, readBundles } from './bundles/bundles.ts'
import type { Host } from './host.ts'
import { APK_READS, apkDatabases, readApk } from './packages/apk.ts'
import { DPKG_READS, dpkgDatabase, OPKG_READS, opkgDatabases, readDpkg, readOpkg } from './packages/dpkg.ts'
import type { Inventory } from './packages/inventory.ts'
import { readRpm, RPM_READS } from './packages/rpm.ts'
import { identitiesOf } from './unchanged.ts'
import { SensorFailure, type Reading, type Sensor } from './sensor.ts'

type Answer = Inventory | 'unread' | undefined
type Reader = readonly [manager: PackageManagerName, read: (host: Host) => Answer | Promise<Answer>]

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
async function measure(host: Host): Promise<Reading<'packages'>> {
  const found: [PackageManagerName, Inventory][] = []
  const unread: PackageManagerName[] = []
  for (const [manager, read] of READERS) {
    const inventory = await (found.some(hasPackages) ? attempt(() => read(host)) : read(host))
    if (inventory === 'unread') unread.push(manager)
    else if (inventory !== undefined) found.push([manager, inventory])
  }
  const main = found.find(hasPackages)
  const empty = unread.length === 0 ? found[0] : undefined
  const bundles = readBundles(host)
  if (main === undefined && empty === undefined) {
    if (bundles.length > 0)
      return { status: 'measured', content: { ...NO_PACKAGES, packages: [], ...othersOf(unread), bundles } }
    return { status: 'not-supported', reason: unread.length > 0 ? 'package-database-format' : 'no-package-database' }
  }
  const [manager, { packages, malformed, incomplete }] = (main ?? empty) as [PackageManagerName, Inventory]
  const others = found.flatMap(([name, { packages: its }]) => (name !== manager && its.length > 0 ? [name] : []))
  others.push(...unread)
  return {
    status: 'measured',
    content: {
      manager,
      ...othersOf(others),
      packages: packages.length > MAX_PACKAGES ? byName(packages).slice(0, MAX_PACKAGES) : packages,
      total: packages.length,
      malformed,
      incomplete,
      ...(bundles.length === 0 ? {} : { bundles }),
    },
  }
}

const NO_PACKAGES = { manager: 'none', total: 0, malformed: 0, incomplete: false } as const

const othersOf = (others: PackageManagerName[]): Pick<PackagesContent, 'others'> =>
  others.length === 0 ? {} : { others }

const hasPackages = ([, { packages, malformed }]: [PackageManagerName, Inventory]): boolean =>
  packages.length + malformed > 0

/** A second database that is damaged says nothing against the first. It is named all the same. */
async function attempt(read: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof SensorFailure) return 'unread'
    throw error
  }
}

/** Before a cut, so that the order of the database does not decide what is left out. */
const byName = (packages: readonly Package[]): Package[] => [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))

/** What changes with every installation. Images of containers are seen by nobody but root. */
const GLANCED = [
  dpkgDatabase,
  '/var/lib/dpkg/status.d',
  ...apkDatabases,
  ...opkgDatabases,
  ...['/usr/lib/sysimage/rpm', '/var/lib/rpm'].flatMap((directory) =>
    ['', '/rpmdb.sqlite', '/rpmdb.sqlite-wal', '/Packages.db', '/Packages'].map((name) => directory + name),
  ),
  '/var/lib/flatpak/app',
  '/snap',
  '/var/lib/snapd/snap',
]

export const packagesSensor: Sensor<'packages'> = {
  id: 'packages',
  title: 'installed packages, applications and container images',
  section: 'packages',
  reads: [DPKG_READS, APK_READS, OPKG_READS, RPM_READS, BUNDLES_READS].join(', '),
  needs:
    'nothing beyond reading these files; container images, and an rpm database that is a Berkeley DB or has a log that ' +
    'is not merged, need the privileged helper',
  blindSpots:
    'software installed without any of these; the packages of a second manager, which is only named; flatpaks of ' +
    'single users and images of rootless containers; images that containerd keeps, which is only named; changes that ' +
    'dpkg has not merged yet from /var/lib/dpkg/updates; files changed after installation; packages inside ' +
    'containers; the checksums of an rpm database',
  budget: { cpuMs: 60 },
  remedy:
    'Check that the package database is intact: `dpkg --audit`, `apk audit`, `opkg list-installed`, `rpm --verifydb`.',
  privileged: true,
  glance: (host) => identitiesOf(host, GLANCED),
  measure,
}
