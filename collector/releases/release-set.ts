import { utf8, toHex } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { Release } from '../model/release.ts'

/**
 * What a release that was once active counts for at a time. `accepted`: active, or superseded within its window.
 * `closed`: its window is over. `below-minimum`: a later release is the least that is accepted.
 */
export type Standing = 'accepted' | 'closed' | 'below-minimum' | 'revoked'

/** A release that was once active: its place among them is known. */
export type RankedRelease = Release & { readonly order: number; readonly activatedAt: number }

export interface StandingRelease {
  readonly release: RankedRelease
  readonly standing: Standing
}

/** More of them than this tell nothing about a device that is as old: it is compared with the newest ones. */
export const MAX_COMPARED = 16

const isRanked = (release: Release): release is RankedRelease => release.order !== null && release.activatedAt !== null

/**
 * The releases of a product that were active by `at`, newest first, each with what it counts for then. Everything is
 * computed from stored times, so that a closing date acts by itself, also after a restart.
 */
export function releaseSet(releases: readonly Release[], at: number): readonly StandingRelease[] {
  const ranked = releases
    .filter(isRanked)
    .filter(({ activatedAt }) => activatedAt <= at)
    .sort((a, b) => b.order - a.order)
  const minimum = ranked.find((release) => release.isMinimum && !isRevoked(release, at))?.order ?? 0
  const standing = ranked.map((release) => ({ release, standing: standingOf(release, minimum, at) }))
  const accepted = standing.filter((each) => each.standing === 'accepted')
  const others = standing.filter((each) => each.standing !== 'accepted')
  // What is accepted is never left out, however much there is.
  return [...accepted, ...others.slice(0, Math.max(0, MAX_COMPARED - accepted.length))].sort(
    (a, b) => b.release.order - a.release.order,
  )
}

/**
 * The releases as they count now. What was decided stays so while the clock stands before the decision: neither a clock
 * that was put back, nor a message that has waited, is judged by what is not in force any more.
 */
export function presentReleases(releases: readonly Release[], now: number): readonly StandingRelease[] {
  const decided = releases.flatMap(({ activatedAt, supersededAt, revokedAt }) => [activatedAt, supersededAt, revokedAt])
  return releaseSet(
    releases,
    decided.reduce<number>((latest, at) => Math.max(latest, at ?? 0), now),
  )
}

const isRevoked = ({ revokedAt }: Release, at: number): boolean => revokedAt !== null && revokedAt <= at

function standingOf(release: RankedRelease, minimum: number, at: number): Standing {
  const { supersededAt, acceptedUntil, order } = release
  if (isRevoked(release, at)) return 'revoked'
  if (order < minimum) return 'below-minimum'
  if (supersededAt === null || at < supersededAt) return 'accepted'
  return acceptedUntil !== null && at < acceptedUntil ? 'accepted' : 'closed'
}

/** Names a set and what its releases count for: whoever was judged by another one has to be judged again. */
export function releaseSetKey(set: readonly StandingRelease[]): string {
  const text = set.map(({ release: { id }, standing }) => `${id} ${standing}`).join('\n')
  return toHex(sha256(utf8(text))).slice(0, 16)
}
