import { equal } from '../../shared/bytes/bytes.ts'
import type { ErrorCode } from '../../shared/codes/errors.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Act, Person, Release, ReleaseState } from '../model/release.ts'

/**
 * The life of a release, as pure steps: each gives the release as it is afterwards, or throws KeepsealError with the
 * reason. draft -> approved (by another person) -> active -> superseded -> revoked; nothing goes back.
 */

/** A person is the same one by any of his tokens: names are compared as people read them. */
const isSame = (a: Person, b: Person): boolean => a.tokenId === b.tokenId || nameOf(a) === nameOf(b)
const nameOf = ({ name }: Person): string => name.normalize('NFKC').trim().toLowerCase()

function refuse(code: ErrorCode, detail: string): never {
  throw new KeepsealError(code, detail)
}

function assertState(release: Release, ...states: readonly ReleaseState[]): void {
  if (!states.includes(release.state)) refuse('release.state-refused', `${release.name} is ${release.state}`)
}

/** What a person has looked at has to be what he decides about. */
function assertSeen({ digest }: Release, seen: Uint8Array): void {
  if (!equal(digest, seen)) refuse('release.changed', 'its digest is another one')
}

/** Another version of a draft: whoever has written any of them is an author. */
export function rewrite(release: Release, digest: Uint8Array, author: Person): Release {
  assertState(release, 'draft')
  const authors = release.authors.some(({ tokenId }) => tokenId === author.tokenId)
    ? release.authors
    : [...release.authors, author]
  return { ...release, digest, authors, countersigned: null }
}

export function approve(release: Release, act: Act, seen: Uint8Array): Release {
  assertState(release, 'draft')
  assertSeen(release, seen)
  if (release.authors.some((author) => isSame(author, act.by))) refuse('release.same-person', act.by.name)
  return { ...release, state: 'approved', approved: act }
}

/** By the certifier, before or after it is active; once. */
export function countersign(release: Release, act: Act, seen: Uint8Array): Release {
  assertState(release, 'draft', 'approved', 'active')
  assertSeen(release, seen)
  if (release.countersigned !== null) refuse('release.state-refused', 'it is countersigned already')
  if (release.authors.some((author) => isSame(author, act.by))) refuse('release.same-person', act.by.name)
  return { ...release, countersigned: act }
}

export interface Activation {
  readonly now: number
  /** Until when the release that is active now stays accepted; needed where there is one. */
  readonly acceptedUntil: number | null
  readonly isMinimum: boolean
  /** Whether the product is certified. */
  readonly isCertified: boolean
}

/**
 * Puts a release in force, and gives all that changed: with the one that was active, which is superseded.
 * `others`: all other releases of the product.
 */
export function activate(release: Release, others: readonly Release[], activation: Activation): readonly Release[] {
  const { now, acceptedUntil, isMinimum, isCertified } = activation
  assertState(release, 'approved')
  if (isCertified && release.countersigned === null) refuse('release.countersignature-missing', release.name)
  const before = others.filter(({ state }) => state === 'active')
  if (before.length > 0 && (acceptedUntil === null || acceptedUntil < now)) {
    refuse('release.window-invalid', `until when ${before[0]?.name} stays accepted`)
  }
  const order = 1 + Math.max(0, ...others.map((other) => other.order ?? 0))
  return [
    { ...release, state: 'active', order, activatedAt: now, isMinimum },
    ...before.map((other): Release => ({ ...other, state: 'superseded', supersededAt: now, acceptedUntil })),
  ]
}

/** Ends the acceptance of a release at a time: sooner than it would, never later. */
export function retire(release: Release, now: number, until: number): Release {
  assertState(release, 'active', 'superseded')
  if (until < now) refuse('release.window-invalid', 'it lies in the past')
  const isLonger = release.state === 'superseded' && (release.acceptedUntil ?? 0) < until
  if (isLonger) refuse('release.window-invalid', 'it is later than the closing date that is set')
  return { ...release, state: 'superseded', supersededAt: release.supersededAt ?? now, acceptedUntil: until }
}

/** For a release that no device may run any more; a draft that nobody wants ends here too. */
export function revoke(release: Release, now: number): Release {
  assertState(release, 'draft', 'approved', 'active', 'superseded')
  return { ...release, state: 'revoked', revokedAt: now }
}

/**
 * The releases of a product as they would be if one of them were active, whatever it lacks for that: what a person asks
 * before he decides. `isClosed`: the window of the one before it has closed by then.
 */
export function plannedAsActive(
  release: Release,
  all: readonly Release[],
  now: number,
  isClosed: boolean,
): readonly Release[] {
  if (release.state === 'active') return all
  const others = all.filter(({ id }) => id !== release.id)
  const order = 1 + Math.max(0, ...others.map((other) => other.order ?? 0))
  const planned: Release = {
    ...release,
    state: 'active',
    order,
    activatedAt: now,
    supersededAt: null,
    acceptedUntil: null,
    revokedAt: null,
  }
  return [
    planned,
    ...others.map((other): Release => {
      const isBefore = other.state === 'active'
      if (!isBefore && !isClosed) return other
      const acceptedUntil = isClosed ? now : Number.MAX_SAFE_INTEGER
      return isBefore || other.state === 'superseded'
        ? { ...other, state: 'superseded', supersededAt: other.supersededAt ?? now, acceptedUntil }
        : other
    }),
  ]
}
