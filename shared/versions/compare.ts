import { compareApkVersions, parseApkVersion } from './apk.ts'
import type { Order } from './digits.ts'
import { compareDpkgVersions, parseDpkgVersion, parseOpkgVersion } from './dpkg.ts'
import { compareRpmVersions, parseRpmVersion } from './rpm.ts'
import { compareSemanticVersions, parseSemanticVersion } from './semver.ts'

export const VERSION_SCHEMES = ['dpkg', 'rpm', 'apk', 'opkg', 'semver'] as const
export type VersionScheme = (typeof VERSION_SCHEMES)[number]

/** `incomparable`: one of the two is no version of this scheme. Neither older, nor equal, nor newer. */
export type Comparison = 'older' | 'equal' | 'newer' | 'incomparable'

const SCHEMES: { readonly [S in VersionScheme]: (a: string, b: string) => Order | undefined } = {
  dpkg: (a, b) => compared(parseDpkgVersion, compareDpkgVersions, a, b),
  rpm: (a, b) => compared(parseRpmVersion, compareRpmVersions, a, b),
  apk: (a, b) => compared(parseApkVersion, compareApkVersions, a, b),
  opkg: (a, b) => compared(parseOpkgVersion, compareDpkgVersions, a, b),
  semver: (a, b) => compared(parseSemanticVersion, compareSemanticVersions, a, b),
}

function compared<V>(
  parse: (text: string) => V | undefined,
  compare: (a: V, b: V) => Order,
  a: string,
  b: string,
): Order | undefined {
  const [left, right] = [parse(a), parse(b)]
  return left === undefined || right === undefined ? undefined : compare(left, right)
}

/** What `a` is to `b`, as the package manager of the scheme itself would say. */
export function compareVersions(scheme: VersionScheme, a: string, b: string): Comparison {
  const order = SCHEMES[scheme](a, b)
  if (order === undefined) return 'incomparable'
  return order < 0 ? 'older' : order > 0 ? 'newer' : 'equal'
}
