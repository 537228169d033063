import type { PackageStatement } from '../../shared/advisories/record.ts'
import { isDistribution, type Ecosystem } from '../../shared/advisories/ecosystem.ts'
import { orderingOf, type VersionScheme } from '../../shared/versions/compare.ts'
import type { Entry, Exposure, ExposureReason, ExposureStatus, Inventory, InventoryPackage } from '../model/advisory.ts'
import { placeOf, type Group, type Lookup } from './index-groups.ts'
import { isRunning, kernelPartOf } from './kernel.ts'

/** Whose word counts more: feeds of lower numbers before those of higher ones. */
export type Precedence = (feed: string) => number

/** What is known against one inventory: of all of its packages, or of those of these names. */
export function matchInventory(
  inventory: Inventory,
  lookup: Lookup,
  precedence: Precedence,
  only?: ReadonlySet<string>,
): readonly Exposure[] {
  const { ecosystem, packages } = inventory
  const found: Exposure[] = []
  const places = new Map<string, readonly Place[]>()
  const placesOf = (whose: Ecosystem): readonly Place[] => {
    const key = `${whose.name}\n${whose.release}`
    const known = places.get(key) ?? knownPlaces(whose, lookup)
    places.set(key, known)
    return known
  }
  for (const each of packages) {
    if (only !== undefined && !only.has(each.name) && !only.has(each.source)) continue
    const whose = each.ecosystem ?? ecosystem
    if (whose === null) continue
    const scheme = each.ecosystem === undefined ? ownScheme(inventory) : undefined
    const raw = rawOf(each, whose, scheme, lookup, placesOf)
    if (raw.length === 0) continue
    const settled = settle(raw, precedence)
    const part = kernelPartOf(each)
    for (const one of settled) found.push(part === undefined ? one : ofKernel(one, each, part, inventory))
  }
  return found
}

/** An exposure with what it rests on. */
interface Raw {
  readonly exposure: Exposure
  readonly entry: Entry
}

/** A system of one's own has the order of its package manager, which an advisory of its ecosystem cannot know. */
function ownScheme({ manager, ecosystem }: Inventory): VersionScheme | undefined {
  return manager === 'none' || ecosystem === null || isDistribution(ecosystem.name) ? undefined : manager
}

/** Where statements about packages of a system are kept: of its release and of all, by source and by package. */
interface Place {
  readonly prefix: string
  readonly isSource: boolean
}

function knownPlaces({ name, release }: Ecosystem, lookup: Lookup): readonly Place[] {
  const releases = release === '' ? [''] : [release, '']
  return releases
    .flatMap((of) => [
      { prefix: placeOf(name, of, 'source'), isSource: true },
      { prefix: placeOf(name, of, 'binary'), isSource: false },
    ])
    .filter(({ prefix }) => lookup.isKnown(prefix))
}

function rawOf(
  each: InventoryPackage,
  whose: Ecosystem,
  scheme: VersionScheme | undefined,
  lookup: Lookup,
  placesOf: (whose: Ecosystem) => readonly Place[],
): readonly Raw[] {
  const raw: Raw[] = []
  const look = (of: Ecosystem): void => {
    for (const { prefix, isSource } of placesOf(of)) {
      const [name, version] = isSource ? [each.source, each.sourceVersion] : [each.name, each.version]
      judge(lookup(prefix + name), each, version, scheme, raw)
    }
  }
  look(whose)
  // A subscription's versions carry its mark; without it those advisories are about what is not installed.
  if (whose.name === 'Ubuntu' && each.version.includes('esm')) look({ ...whose, name: 'Ubuntu Pro' })
  return raw
}

function judge(
  { fixes, others }: Group,
  each: InventoryPackage,
  installed: string,
  scheme: VersionScheme | undefined,
  into: Raw[],
): void {
  const [first] = fixes
  const isOrdered = first !== undefined && (scheme === undefined || scheme === first.statement.scheme)
  if (isOrdered) {
    const { parse, compare } = orderingOf(first.statement.scheme)
    const version = parse(installed)
    if (version === undefined) {
      for (const entry of fixes)
        into.push(rawFrom(entry, each, installed, scheme, ['unknown', 'version-not-comparable']))
    } else {
      // The first of the list that is newer: all from there on are fixed in what is not installed.
      let [low, high] = [0, fixes.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (compare(version, fixes[middle]?.fixed) < 0) high = middle
        else low = middle + 1
      }
      for (let at = low; at < fixes.length; at++) {
        const entry = fixes[at]
        if (entry !== undefined) into.push(rawFrom(entry, each, installed, scheme, ['affected', 'older-than-fix']))
      }
    }
  }
  for (const entry of isOrdered ? others : [...fixes, ...others]) {
    const said = scheme === undefined ? entry.statement : { ...entry.statement, scheme }
    const verdict = verdictOf(said, each, installed)
    if (verdict !== undefined) into.push(rawFrom(entry, each, installed, scheme, verdict))
  }
}

const rawFrom = (
  entry: Entry,
  each: InventoryPackage,
  installed: string,
  scheme: VersionScheme | undefined,
  [status, reason]: Verdict,
): Raw => ({
  entry,
  exposure: {
    advisory: entry.advisory,
    feed: entry.feed,
    package: each.name,
    architecture: each.architecture,
    ecosystem: [entry.statement.ecosystem, entry.statement.release].filter(Boolean).join(' '),
    source: each.source,
    scheme: scheme ?? entry.statement.scheme,
    installed,
    fixedIn: fixIn(entry.statement),
    status,
    reason,
    justification: entry.statement.justification,
    disputedBy: [],
  },
})

const fixIn = ({ ranges }: PackageStatement): string | null =>
  ranges.findLast(({ fixed }) => fixed !== null)?.fixed ?? null

type Verdict = readonly [ExposureStatus, ExposureReason]

function verdictOf(said: PackageStatement, each: InventoryPackage, installed: string): Verdict | undefined {
  if (said.product !== null) return undefined
  if (
    said.architecture !== null &&
    each.architecture !== null &&
    !sameArchitecture(said.architecture, each.architecture)
  ) {
    return undefined
  }
  const concerned = isConcerned(said, installed)
  if (concerned === 'no') return undefined
  const isGood = said.statement === 'not-affected' || said.statement === 'fixed'
  if (concerned === 'unknown') {
    // What cannot be compared is no reason to believe that something is not affected.
    return isGood ? undefined : ['unknown', 'version-not-comparable']
  }
  if (isGood) return ['not-affected', 'stated-not-affected']
  if (said.statement === 'under-investigation') return ['under-investigation', 'being-investigated']
  if (said.versions.length > 0) return ['affected', 'listed-version']
  return fixIn(said) === null ? ['affected', 'no-fix-yet'] : ['affected', 'older-than-fix']
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'armv7hl',
  armv7: 'armv7hl',
}
const canonical = (name: string): string => ARCHITECTURES[name] ?? name
const sameArchitecture = (a: string, b: string): boolean =>
  canonical(a) === canonical(b) || ['all', 'noarch'].includes(b)

function isConcerned({ scheme, ranges, versions }: PackageStatement, installed: string): 'yes' | 'no' | 'unknown' {
  if (ranges.length === 0 && versions.length === 0) return 'yes'
  let isUnknown = false
  for (const version of versions) {
    const order = compared(scheme, installed, version)
    if (order === 0 || installed === version) return 'yes'
    isUnknown ||= order === undefined
  }
  for (const { introduced, fixed, lastAffected } of ranges) {
    const since = introduced === null ? 1 : compared(scheme, installed, introduced)
    const before = fixed === null ? -1 : compared(scheme, installed, fixed)
    const until = lastAffected === null ? -1 : compared(scheme, installed, lastAffected)
    if (since === undefined || before === undefined || until === undefined) {
      // One bound that it is beyond is enough, whatever the other is.
      const isOutside = (since ?? 0) < 0 || (before ?? -1) >= 0 || (until ?? 0) > 0
      isUnknown ||= !isOutside
    } else if (since >= 0 && before < 0 && until <= 0) return 'yes'
  }
  return isUnknown ? 'unknown' : 'no'
}

function compared(scheme: VersionScheme, a: string, b: string): number | undefined {
  const { parse, compare } = orderingOf(scheme)
  const [left, right] = [parse(a), parse(b)]
  return left === undefined || right === undefined ? undefined : compare(left, right)
}

/**
 * Of statements about one vulnerability of one package the one of the highest precedence counts, and among equals the
 * worst; the others are named. A statement that is not about versions at all ("not affected") settles only what it is
 * about.
 */
function settle(raw: readonly Raw[], precedence: Precedence): readonly Exposure[] {
  if (!raw.some(({ exposure: { status } }) => status === 'not-affected')) return raw.map(({ exposure }) => exposure)
  const settled: Exposure[] = []
  for (const one of raw) {
    const rivals = raw.filter((other) => other !== one && isAboutSame(one.entry, other.entry) && differs(one, other))
    const stronger = rivals.find((other) => beats(other, one, precedence))
    const others = [...new Set(rivals.map(({ exposure, entry }) => `${entry.feed}: ${exposure.status}`))]
    if (stronger === undefined) settled.push({ ...one.exposure, disputedBy: others })
    // One line for each thing that is said, with who else says what: the weaker one is seen there.
    else if (stronger.exposure.status !== 'not-affected' || one.exposure.status === 'not-affected') continue
    else {
      const { advisory } = one.exposure
      const { status, reason, justification, feed } = stronger.exposure
      settled.push({ ...one.exposure, advisory, status, reason, justification, feed, disputedBy: others })
    }
  }
  return settled
}

const differs = (one: Raw, other: Raw): boolean =>
  (one.exposure.status === 'not-affected') !== (other.exposure.status === 'not-affected')

function isAboutSame(a: Entry, b: Entry): boolean {
  return a.advisory === b.advisory || (a.cves.length > 0 && a.cves.every((cve) => b.cves.includes(cve)))
}

function beats(other: Raw, one: Raw, precedence: Precedence): boolean {
  const [theirs, ours] = [precedence(other.entry.feed), precedence(one.entry.feed)]
  return theirs === ours ? one.exposure.status === 'not-affected' : theirs < ours
}

/** A kernel counts by the one that runs. */
function ofKernel(exposure: Exposure, each: InventoryPackage, part: 'image' | 'other', inventory: Inventory): Exposure {
  const { status } = exposure
  if (status === 'not-affected') return exposure
  if (part === 'other') return { ...exposure, status: 'not-affected', reason: 'no-running-code' }
  const images = inventory.packages.filter((one) => kernelPartOf(one) === 'image')
  const running = images.filter((one) => isRunning(one, inventory))
  if (running.length === 0) {
    // Nobody can tell which one runs: it may be the one that is affected.
    return status === 'affected' ? { ...exposure, reason: 'running-kernel-unknown' } : exposure
  }
  if (!running.includes(each)) return { ...exposure, status: 'not-affected', reason: 'kernel-not-running' }
  if (status !== 'affected' || exposure.fixedIn === null) return exposure
  const isFixed = (one: InventoryPackage): boolean => {
    const order = compared(schemeOf(inventory), one.sourceVersion, exposure.fixedIn ?? '')
    return order !== undefined && order >= 0
  }
  const isOnDisk = images.some((one) => one.source === each.source && isFixed(one))
  return isOnDisk ? { ...exposure, status: 'fixed-not-running', reason: 'kernel-not-restarted' } : exposure
}

const schemeOf = ({ manager }: Inventory): VersionScheme => (manager === 'none' ? 'pep440' : manager)

/** Versions that the package manager itself could not order, of a distribution whose rules are known. */
export function incomparableIn({ packages, manager, ecosystem }: Inventory): readonly string[] {
  if (ecosystem === null || manager === 'none' || !isDistribution(ecosystem.name)) return []
  const { parse } = orderingOf(manager)
  return packages.filter(({ version }) => parse(version) === undefined).map(({ name }) => name)
}
