import { rulesOf } from './ecosystem.ts'
import type { PackageStatement } from './record.ts'

/** Of what a purl says, what names a package here. */
export type NamedPackage = Pick<
  PackageStatement,
  'ecosystem' | 'release' | 'package' | 'side' | 'architecture' | 'scheme'
> & { readonly version: string | null }

/** purl types of languages and others, by the names of the OSV schema. */
const COMPONENTS: Readonly<Record<string, string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  golang: 'Go',
  cargo: 'crates.io',
  maven: 'Maven',
  nuget: 'NuGet',
  gem: 'RubyGems',
  composer: 'Packagist',
  generic: 'generic',
  github: 'GitHub',
}

const NAMESPACES: Readonly<Record<string, string>> = {
  debian: 'Debian',
  ubuntu: 'Ubuntu',
  alpine: 'Alpine',
  openwrt: 'OpenWrt',
  redhat: 'Red Hat',
  rocky: 'Rocky Linux',
  'rocky-linux': 'Rocky Linux',
  almalinux: 'AlmaLinux',
  suse: 'SUSE',
  opensuse: 'openSUSE',
  fedora: 'Fedora',
}

const CODENAMES: Readonly<Record<string, string>> = {
  trusty: '14.04',
  xenial: '16.04',
  bionic: '18.04',
  focal: '20.04',
  jammy: '22.04',
  noble: '24.04',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
}

/** Package URL, pkg:type/namespace/name@version?qualifiers. Undefined for what is none. */
export function parsePackageUrl(text: string): NamedPackage | undefined {
  const match = text.length > 2048 ? null : /^pkg:\/{0,2}([A-Za-z][A-Za-z0-9.+-]*)\/([^?#]+)(?:\?([^#]*))?/.exec(text)
  if (match === null) return undefined
  const [, type = '', path = '', query = ''] = match
  const at = path.lastIndexOf('@')
  // An @ at the beginning of a segment is a namespace of npm, not a version.
  const isVersion = at > 0 && path[at - 1] !== '/'
  const segments = (isVersion ? path.slice(0, at) : path).split('/').map(decoded)
  const version = isVersion ? decoded(path.slice(at + 1)) : null
  const qualifiers = new Map(query.split('&').map((pair) => pair.split('=', 2).map(decoded) as [string, string]))
  const name = segments.at(-1)
  if (name === undefined || name === '' || segments.some((each) => each === undefined)) return undefined
  const namespace = segments.slice(0, -1).join('/')
  const kind = type.toLowerCase()
  if (['deb', 'rpm', 'apk', 'opkg'].includes(kind)) {
    const ecosystem = NAMESPACES[namespace.toLowerCase()] ?? (namespace || kind)
    const rules = rulesOf(ecosystem, kind === 'deb' ? 'dpkg' : kind)
    const architecture = qualifiers.get('arch') ?? null
    const isSource = architecture === 'source' || architecture === 'src'
    const epoch = qualifiers.get('epoch')
    return {
      ecosystem,
      release: releaseOf(qualifiers.get('distro') ?? ''),
      package: name,
      side: isSource ? 'source' : architecture === null ? rules.side : 'binary',
      architecture: isSource || architecture === 'all' || architecture === 'noarch' ? null : architecture,
      scheme: rules.scheme,
      version: version !== null && epoch !== undefined && !version.includes(':') ? `${epoch}:${version}` : version,
    }
  }
  const ecosystem = COMPONENTS[kind] ?? kind
  const separator = kind === 'maven' ? ':' : '/'
  return {
    ecosystem,
    release: '',
    package: nameIn(ecosystem, namespace === '' ? name : `${namespace}${separator}${name}`),
    side: 'binary',
    architecture: null,
    scheme: rulesOf(ecosystem).scheme,
    version: versionIn(ecosystem, version),
  }
}

/** PyPI takes names of one normal form for the same (PEP 503). Here all have that form, whoever wrote them. */
export const nameIn = (ecosystem: string, name: string): string =>
  ecosystem === 'PyPI' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name

/** Versions of Go modules begin with v, and those of advisories about them do not. */
export const versionIn = (ecosystem: string, version: string | null): string | null =>
  ecosystem === 'Go' && version !== null ? version.replace(/^v(?=\d)/, '') : version

/** `debian-12`, `jammy`, `ubuntu-22.04`, `alpine-3.19`, `esm-infra/focal`, `el9`. */
function releaseOf(distro: string): string {
  const last = distro.split(/[/-]/).at(-1) ?? ''
  return CODENAMES[last] ?? /(\d+(?:\.\d+)*)$/.exec(last)?.[1] ?? ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
