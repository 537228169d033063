import { compareApkVersions, parseApkVersion } from './apk.ts'
import type { Order } from './digits.ts'
import { compareDpkgVersions, parseDpkgVersion, parseOpkgVersion } from './dpkg.ts'
import { comparePep440Versions, parsePep440Version } from './pep440.ts'
import { compareRpmVersions, parseRpmVersion } from './rpm.ts'
import { compareSemanticVersions, parseSemanticVersion } from './semver.ts'

export const VERSION_SCHEMES = ['dpkg', 'rpm', 'apk', 'opkg', 'semver', 'pep440'] as const
export type VersionScheme = (typeof VERSION_SCHEMES)[number]

/** `incomparable`: one of the two is no version of this scheme. Neither older, nor equal, nor newer. */
export type Comparison = 'older' | 'equal' | 'newer' | 'incomparable'

/** How a scheme reads versions and orders them, for whoever compares one with many. */
export interface Ordering<V = unknown> {
  /** Undefined for what is no version. */
  readonly parse: (text: string) => V | undefined
  readonly compare: (a: V, b: V) => Order
}

/** `V` is whatever `parse` gives: nobody else makes one. */
const ordering = <V>(parse: (text: string) => V | undefined, compare: (a: V, b: V) => Order): Ordering =>
  ({ parse, compare }) as unknown as Ordering

const SCHEMES: Readonly<Record<VersionScheme, Ordering>> = {
  dpkg: ordering(parseDpkgVersion, compareDpkgVersions),
  rpm: ordering(parseRpmVersion, compareRpmVersions),
  apk: ordering(parseApkVersion, compareApkVersions),
  opkg: ordering(parseOpkgVersion, compareDpkgVersions),
  semver: ordering(parseSemanticVersion, compareSemanticVersions),
  pep440: ordering(parsePep440Version, comparePep440Versions),
}

export const orderingOf = (scheme: VersionScheme): Ordering => SCHEMES[scheme]

/** What `a` is to `b`, as the package manager of the scheme itself would say. */
export function compareVersions(scheme: VersionScheme, a: string, b: string): Comparison {
  const { parse, compare } = SCHEMES[scheme]
  const [left, right] = [parse(a), parse(b)]
  if (left === undefined || right === undefined) return 'incomparable'
  const order = compare(left, right)
  return order < 0 ? 'older' : order > 0 ? 'newer' : 'equal'
}
