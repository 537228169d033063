import type { PackageSide, PackageStatement } from '../../shared/advisories/record.ts'
import type { Entry } from '../model/advisory.ts'
import { orderingOf, type VersionScheme } from '../../shared/versions/compare.ts'

/** Entries of one package in one release of a distribution. */
export interface Group {
  /** "Older than this is affected", by the version, oldest first: what an installed one lacks is the end of the list. */
  readonly fixes: readonly FixEntry[]
  /** Everything else. */
  readonly others: readonly Entry[]
}

export interface FixEntry extends Entry {
  readonly fixed: unknown
}

export const EMPTY: Group = { fixes: [], others: [] }

/** What keys of all packages of a release have in common. */
export const placeOf = (ecosystem: string, release: string, side: PackageSide): string =>
  `${ecosystem}\n${release}\n${side}\n`

export const keyOf = (ecosystem: string, release: string, side: PackageSide, name: string): string =>
  placeOf(ecosystem, release, side) + name

/** Entries by key. `isKnown`: whether there is anything at all of a place. */
export type Lookup = ((key: string) => Group) & { readonly isKnown: (place: string) => boolean }

const keyOfStatement = ({ ecosystem, release, side, package: name }: PackageStatement): string =>
  keyOf(ecosystem, release, side, name)

/** The version in which it is fixed, of a statement that says nothing else. */
function onlyFix({ statement, architecture, product, ranges, versions }: PackageStatement): string | null {
  const [range, ...more] = ranges
  if (statement !== 'affected' || architecture !== null || product !== null) return null
  if (range === undefined || more.length > 0 || versions.length > 0 || range.introduced !== null) return null
  return range.fixed
}

export function groupOf(entries: readonly Entry[]): Group {
  const fixes: (FixEntry & { readonly scheme: VersionScheme })[] = []
  const others: Entry[] = []
  for (const entry of entries) {
    const { scheme } = entry.statement
    const fix = onlyFix(entry.statement)
    const fixed = fix === null ? undefined : orderingOf(scheme).parse(fix)
    // A fixed version that is none stays among the others, where it makes the answer unknown.
    if (fixed === undefined || (fixes[0] !== undefined && fixes[0].scheme !== scheme)) others.push(entry)
    else fixes.push({ ...entry, fixed, scheme })
  }
  const [first] = fixes
  if (first !== undefined) {
    const { compare } = orderingOf(first.scheme)
    fixes.sort((a, b) => compare(a.fixed, b.fixed))
  }
  return { fixes, others }
}

/** All statements of a set of advisories, by package: what the store is in memory, for as much as fits there. */
export class StatementIndex {
  readonly #entries = new Map<string, Entry[]>()
  readonly #groups = new Map<string, Group>()
  readonly #places = new Set<string>()

  add(entry: Entry): void {
    const { ecosystem, release, side } = entry.statement
    this.#places.add(placeOf(ecosystem, release, side))
    const key = keyOfStatement(entry.statement)
    const list = this.#entries.get(key)
    if (list === undefined) this.#entries.set(key, [entry])
    else list.push(entry)
    this.#groups.delete(key)
  }

  /** Puts all in order, so that no look-up has to. */
  seal(): void {
    for (const [key, entries] of this.#entries) {
      this.#groups.set(key, groupOf(entries))
      this.#entries.delete(key)
    }
  }

  readonly group: Lookup = Object.assign(
    (key: string): Group => {
      const known = this.#groups.get(key)
      if (known !== undefined) return known
      const entries = this.#entries.get(key)
      if (entries === undefined) return EMPTY
      const group = groupOf(entries)
      this.#groups.set(key, group)
      return group
    },
    { isKnown: (place: string): boolean => this.#places.has(place) },
  )
}
