import type { VersionScheme } from '../versions/compare.ts'
import type { PackageSide } from './record.ts'

/** Whose packages, of which release. */
export interface Ecosystem {
  readonly name: string
  /** Empty: all of them. */
  readonly release: string
}

interface Rules {
  readonly scheme: VersionScheme
  /** What the distribution's own advisories name. */
  readonly side: PackageSide
}

/** Distributions with package databases that are read here, by the names of the OSV schema ("Defined ecosystems"). */
const DISTRIBUTIONS: Readonly<Record<string, Rules>> = {
  Debian: { scheme: 'dpkg', side: 'source' },
  Ubuntu: { scheme: 'dpkg', side: 'source' },
  'Ubuntu Pro': { scheme: 'dpkg', side: 'source' },
  Alpine: { scheme: 'apk', side: 'source' },
  Wolfi: { scheme: 'apk', side: 'source' },
  Chainguard: { scheme: 'apk', side: 'source' },
  OpenWrt: { scheme: 'opkg', side: 'source' },
  'Red Hat': { scheme: 'rpm', side: 'binary' },
  'Rocky Linux': { scheme: 'rpm', side: 'binary' },
  AlmaLinux: { scheme: 'rpm', side: 'binary' },
  SUSE: { scheme: 'rpm', side: 'binary' },
  openSUSE: { scheme: 'rpm', side: 'binary' },
  Fedora: { scheme: 'rpm', side: 'binary' },
}

/** A fleet's own distribution: its packages are named by the manager that installs them. */
const OWN: Readonly<Record<string, Rules>> = {
  dpkg: { scheme: 'dpkg', side: 'binary' },
  opkg: { scheme: 'opkg', side: 'binary' },
  apk: { scheme: 'apk', side: 'binary' },
  rpm: { scheme: 'rpm', side: 'binary' },
}

export const rulesOf = (name: string, manager = ''): Rules =>
  DISTRIBUTIONS[name] ?? OWN[manager] ?? { scheme: LANGUAGES.has(name) ? 'semver' : 'pep440', side: 'binary' }

/** Package registries whose versions are semantic ones. Everything else, products of vendors too, is ordered by PEP 440. */
const LANGUAGES: ReadonlySet<string> = new Set(['npm', 'crates.io', 'Go', 'NuGet', 'Packagist', 'RubyGems', 'Maven'])

/** A scheme of a package manager: the others order components and products, of which each version stands alone. */
export const isManagerScheme = (scheme: VersionScheme): boolean => Object.hasOwn(OWN, scheme)

export const isDistribution = (name: string): boolean => Object.hasOwn(DISTRIBUTIONS, name)

/** `Debian:12`, `Ubuntu:Pro:18.04:LTS`, `Alpine:v3.19`, `Red Hat:enterprise_linux:9::baseos`, `Rocky Linux:9`. */
export function parseEcosystem(text: string): Ecosystem {
  const [name = '', ...rest] = text.split(':')
  if (name === 'Ubuntu' && rest[0] === 'Pro') return { name: 'Ubuntu Pro', release: rest.find(isNumbered) ?? '' }
  return { name, release: (rest.find(isNumbered) ?? '').replace(/^v/, '') }
}

const isNumbered = (part: string): boolean => /^v?\d+(?:\.\d+)*$/.test(part)

/** os-release(5) ID of the distributions above. */
const BY_OS_ID: Readonly<Record<string, string>> = {
  debian: 'Debian',
  ubuntu: 'Ubuntu',
  alpine: 'Alpine',
  wolfi: 'Wolfi',
  chainguard: 'Chainguard',
  openwrt: 'OpenWrt',
  rhel: 'Red Hat',
  rocky: 'Rocky Linux',
  almalinux: 'AlmaLinux',
  sles: 'SUSE',
  'opensuse-leap': 'openSUSE',
  fedora: 'Fedora',
}

export const DEBIAN_RELEASES: Readonly<Record<string, string>> = {
  jessie: '8',
  stretch: '9',
  buster: '10',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
}

export interface OsIdentity {
  readonly id?: string | undefined
  readonly idLike?: string | undefined
  readonly versionId?: string | undefined
  readonly versionCodename?: string | undefined
}

/** Undefined where os-release names no system at all. */
export function ecosystemOf({ id, idLike, versionId = '', versionCodename = '' }: OsIdentity): Ecosystem | undefined {
  if (id === undefined) return undefined
  const known = BY_OS_ID[id]
  if (known !== undefined) return { name: known, release: releaseOf(known, versionId, versionCodename) }
  // An image that is Debian under a name of its own still has Debian's packages where it keeps Debian's code name.
  const like = idLike?.split(/\s+/) ?? []
  const debian = DEBIAN_RELEASES[versionCodename]
  if (debian !== undefined && like.includes('debian') && id !== 'raspbian') return { name: 'Debian', release: debian }
  return { name: id, release: versionId }
}

function releaseOf(name: string, versionId: string, codename: string): string {
  if (name === 'Debian') return versionId === '' ? (DEBIAN_RELEASES[codename] ?? codename) : versionId
  const numbers = versionId.split('.')
  // Advisories of these are for the branch, whatever its point release.
  if (name === 'Alpine' || name === 'OpenWrt') return numbers.slice(0, 2).join('.')
  if (['Red Hat', 'Rocky Linux', 'AlmaLinux'].includes(name)) return numbers[0] ?? ''
  return versionId
}
