import type { Register } from '../register.ts'
import { EXPIRING_SECONDS, GRACE_SECONDS, type AttestedDocument } from './document.ts'

/**
 * What a document is at one moment. `expiring`: it ends within 30 days. `in-grace`: it has ended, and still counts for 14
 * days. A document that ended before its time has no grace: what it states is not so any more.
 */
export type DocumentStanding =
  'submitted' | 'accepted' | 'expiring' | 'in-grace' | 'expired' | 'rejected' | 'superseded' | 'ended'

export interface StandingOfDocument {
  readonly standing: DocumentStanding
  /** Whether a practice may rest on it now. */
  readonly counts: boolean
  /** Whoever signed it was revoked afterwards: somebody should look at it. */
  readonly signerRevoked: boolean
}

/** `at`: seconds since 1970. A pure function of what was signed, so that every reader gets the same answer. */
export function standingOfDocument(document: AttestedDocument, { people }: Register, at: number): StandingOfDocument {
  const revokedAt = people.get(document.submittedBy)?.revokedAt ?? null
  const standing = standingAt(document, at)
  const counts = standing === 'accepted' || standing === 'expiring' || standing === 'in-grace'
  return { standing, counts, signerRevoked: revokedAt !== null }
}

function standingAt({ state, validUntil }: AttestedDocument, at: number): DocumentStanding {
  // What nobody accepted in time is as good as expired, without any grace.
  if (state === 'submitted') return at >= validUntil ? 'expired' : 'submitted'
  if (state !== 'accepted') return state
  if (at >= validUntil + GRACE_SECONDS) return 'expired'
  if (at >= validUntil) return 'in-grace'
  return at >= validUntil - EXPIRING_SECONDS ? 'expiring' : 'accepted'
}
