import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { stateOfKind } from '../../../shared/decisions/documents/criteria.ts'
import type { AttestedDocument } from '../../../shared/decisions/documents/document.ts'
import { standingOfDocument } from '../../../shared/decisions/documents/standing.ts'
import { nextReviewDue } from '../../../shared/decisions/profile-review.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import type { DatedDocument } from '../triggers/calendar-triggers.ts'

interface About {
  readonly register: Register
  /** VENDOR/MODEL */
  readonly product: string
  /** Practices that the profile asks for. */
  readonly practices: readonly PracticeId[]
  /** Seconds since 1970. */
  readonly now: number
}

/** Documents that were accepted and have ended, by their date or before it, and that no other of their kind renews. */
export function endedDocuments({ register, product, practices, now }: About): readonly DatedDocument[] {
  return relevant({ register, product, practices, now })
    .filter(({ state, validUntil, acceptedBy }) => {
      if (acceptedBy === null) return false
      return state === 'ended' || (state === 'accepted' && now >= validUntil)
    })
    .filter((document) =>
      document.practices.some((practice) => {
        const isAsked = practices.includes(practice)
        return isAsked && stateOfKind(register, document.kind, { product, practice, at: now }) !== 'in-force'
      }),
    )
    .map(({ id, kind, validUntil, state, endedAt }) => ({
      id,
      title: kind,
      kind: 'document',
      validUntil: state === 'ended' ? (endedAt ?? validUntil) : validUntil,
    }))
}

/** Documents that count, signed by somebody who was revoked afterwards. */
export const documentsOfRevoked = (about: About): readonly Pick<DatedDocument, 'id' | 'title'>[] =>
  relevant(about)
    .filter((document) => {
      const { counts, signerRevoked } = standingOfDocument(document, about.register, about.now)
      return counts && signerRevoked
    })
    .map(({ id, kind }) => ({ id, title: kind }))

const relevant = ({ register, product, practices }: About): readonly AttestedDocument[] =>
  [...register.documents.values()].filter(
    (each) => each.products.includes(product) && each.practices.some((practice) => practices.includes(practice)),
  )

/** The next review of the profile that a certificate names; none where nobody has agreed upon how often. */
export function profileReview(
  { profiles, profileReviews }: Register,
  { profile: { id } }: Certificate,
  document: ProfileDocument | null,
): readonly DatedDocument[] {
  if (document === null) return []
  const due = nextReviewDue(profiles.get(id), profileReviews.get(id), document.review.everyDays)
  return due === null ? [] : [{ id: `review of ${id}`, title: `review of ${id}`, kind: 'review', validUntil: due }]
}
