import type { Deviation } from '../appraisal/context.ts'
import type { Candidate } from './judge.ts'
import type { Standing } from './release-set.ts'

/** The part of a device that its TPM proves; all others are sections of its posture. */
export const MEASURED_BOOT = 'measured boot'

/** One part of a device, compared with one release. */
export interface Part {
  readonly deviations: readonly Deviation[]
  /** What is lacking to compare it; no deviation then says nothing. */
  readonly undecided: 'content' | 'boot' | null
  readonly eventsUndecided: boolean
  readonly lacksValues: boolean
}

/** All parts of a device, compared with one release. */
export interface Row {
  readonly candidate: Candidate
  readonly parts: ReadonlyMap<string, Part>
}

export const isWhole = ({ parts }: Row): boolean =>
  [...parts.values()].every(({ deviations }) => deviations.length === 0)

/**
 * Releases whose boot may stand beside parts of another one. A boot of a release that was revoked, or is below the
 * minimum, is a boot that is not approved: what differs in it is told, and latches.
 */
const RECOGNIZED_BOOT: ReadonlySet<Standing> = new Set(['accepted', 'closed'])

/** The releases that a part conforms to, with which it can be told. */
export function releasesOf(id: string, rows: readonly Row[]): readonly Row[] {
  return rows.filter(
    ({ parts, candidate }) =>
      parts.get(id)?.deviations.length === 0 && (id !== MEASURED_BOOT || RECOGNIZED_BOOT.has(candidate.standing)),
  )
}

const idsOf = (rows: readonly Row[]): string[] => [...(rows[0]?.parts.keys() ?? [])]

/** Rows that all parts conform to which conform to any release at all. */
function commonRows(rows: readonly Row[]): readonly Row[] {
  const known = idsOf(rows)
    .map((id) => releasesOf(id, rows))
    .filter((found) => found.length > 0)
  return rows.filter((row) => known.every((found) => found.includes(row)))
}

/**
 * The release that deviations are told against: one that the recognized parts are of, before any other; an accepted
 * one before others; then the one with the fewest deviations; then the newest.
 */
export function closest(rows: readonly Row[]): Row | undefined {
  const common = commonRows(rows)
  const pool = common.length > 0 ? common : rows
  const count = ({ parts }: Row): number => [...parts.values()].reduce((sum, part) => sum + part.deviations.length, 0)
  const isRefused = ({ candidate }: Row): number => (candidate.standing === 'accepted' ? 0 : 1)
  return [...pool].sort(
    (a, b) =>
      isRefused(a) - isRefused(b) || count(a) - count(b) || b.candidate.release.order - a.candidate.release.order,
  )[0]
}

/** Which parts are of which release, where no single one explains all that is recognized; null where one does. */
export function mixedParts(rows: readonly Row[]): ReadonlyMap<Row, readonly string[]> | null {
  if (rows.length < 2 || commonRows(rows).length > 0) return null
  // Those that are of every release tell nothing.
  const telling = idsOf(rows)
    .map((id) => ({ id, of: releasesOf(id, rows) }))
    .filter(({ of }) => of.length > 0 && of.length < rows.length)
  const covers = (row: Row): number => telling.filter(({ of }) => of.includes(row)).length
  const ranked = [...rows].sort(
    (a, b) => covers(b) - covers(a) || b.candidate.release.order - a.candidate.release.order,
  )
  const mixed = new Map<Row, string[]>()
  for (const { id, of } of telling) {
    const row = ranked.find((each) => of.includes(each))
    if (row !== undefined) mixed.set(row, [...(mixed.get(row) ?? []), id])
  }
  return mixed
}

/** One finding, whatever the number of parts: its subject is the same as long as the device is a mixture. */
export function describeMixture(mixed: ReadonlyMap<Row, readonly string[]>): Deviation {
  const told = [...mixed]
    .sort(([a], [b]) => b.candidate.release.order - a.candidate.release.order)
    .map(([{ candidate }, ids]) => `${[...ids].sort().join(', ')} of ${candidate.release.name}`)
  return { code: 'release.mixture', subject: 'release', before: 'all of one release', after: told.join('; ') }
}
