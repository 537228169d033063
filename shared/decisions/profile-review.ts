import * as v from 'valibot'
import { DAY, defineKind, digest, longText, refuse, type DecisionKind } from './kind.ts'
import { approvedOf, type ProfileVersions } from './profile.ts'
import type { Register } from './register.ts'

/** `confirmed`: the targets stay. `change-wanted`: a new version is to come. */
export const REVIEW_OUTCOMES = ['confirmed', 'change-wanted'] as const

const reviewSchema = v.strictObject({
  version: v.number(),
  digest,
  outcome: v.picklist(REVIEW_OUTCOMES),
  text: longText,
})

/** Targets, recommendations and roadmap of a profile were looked at again, as agreed (practice model, R14 and R34). */
export interface ProfileReview extends v.InferOutput<typeof reviewSchema> {
  readonly by: string
  /** Seconds since 1970. */
  readonly at: number
}

export const profileReviewKinds = {
  'profile.review': defineKind({
    title: 'A profile was reviewed',
    roles: ['vendor', 'certifier'],
    schema: reviewSchema,
    apply: (register: Register, { author, at, subject, detail }) => {
      const approved = approvedOf(register.profiles.get(subject)) ?? refuse('profile.not-approved', subject)
      const isMeant = approved.version === detail.version && approved.digest === detail.digest
      if (!isMeant) refuse('decision.no-such-subject', `${subject} ${detail.version}, approved is ${approved.version}`)
      const before = register.profileReviews.get(subject) ?? []
      register.profileReviews.set(subject, [...before, { ...detail, by: author.id, at }])
    },
  } satisfies DecisionKind<v.InferOutput<typeof reviewSchema>>),
}

/** When a profile has to be looked at again, in seconds since 1970; null while nothing is approved. */
export function nextReviewDue(
  versions: ProfileVersions | undefined,
  reviews: readonly ProfileReview[] | undefined,
  everyDays: number,
): number | null {
  const approvedAt = approvedOf(versions)?.approvedAt
  if (approvedAt === null || approvedAt === undefined) return null
  return Math.max(approvedAt, reviews?.at(-1)?.at ?? 0) + everyDays * DAY
}
