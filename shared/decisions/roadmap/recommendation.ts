import * as v from 'valibot'
import { PRACTICE_IDS } from '../../maturity/practices.ts'
import { defineKind, longText, refuse, shortText, type DecisionKind } from '../kind.ts'
import { productNames } from '../documents/document.ts'
import type { Register } from '../register.ts'

const makeSchema = v.strictObject({
  title: shortText,
  text: longText,
  practice: v.picklist(PRACTICE_IDS),
  products: productNames,
  /** The reassessment that it came out of; null for none. */
  case: v.nullable(shortText),
  /** The recommendation about another product that this one repeats; null for the first of its kind. */
  like: v.nullable(shortText),
})

export const ANSWERS = ['accepted', 'declined', 'done'] as const
export type RecommendationAnswer = (typeof ANSWERS)[number]
const answerSchema = v.strictObject({ answer: v.picklist(ANSWERS), reason: longText })
const withdrawSchema = v.strictObject({ reason: longText })

/** What the certifier advises about a practice (practice model, R11 and R28). Nobody has to follow it: it is answered. */
export interface Recommendation extends v.InferOutput<typeof makeSchema> {
  readonly id: string
  readonly by: string
  /** Seconds since 1970. */
  readonly at: number
  /** Of the vendor, the newest one; null while there is none. */
  readonly answer: {
    readonly answer: RecommendationAnswer
    readonly reason: string
    readonly by: string
    readonly at: number
  } | null
  readonly withdrawn: { readonly reason: string; readonly by: string; readonly at: number } | null
}

export type RecommendationStanding = 'unanswered' | RecommendationAnswer | 'withdrawn'

export const standingOfRecommendation = ({ answer, withdrawn }: Recommendation): RecommendationStanding =>
  withdrawn === null ? (answer?.answer ?? 'unanswered') : 'withdrawn'

function open({ recommendations }: Register, id: string): Recommendation {
  const found = recommendations.get(id) ?? refuse('decision.no-such-subject', id)
  return found.withdrawn === null ? found : refuse('decision.wrong-state', `${id} is withdrawn`)
}

export const recommendationKinds = {
  'recommendation.make': defineKind({
    title: 'The certifier recommends something',
    roles: ['certifier'],
    schema: makeSchema,
    apply: ({ recommendations }, { author, at, subject, detail }) => {
      if (recommendations.has(subject)) refuse('decision.exists-already', subject)
      const before = detail.like === null ? undefined : recommendations.get(detail.like)
      if (detail.like !== null && before === undefined) refuse('decision.no-such-subject', detail.like)
      if (before !== undefined && before.practice !== detail.practice)
        refuse('decision.wrong-state', `${before.id} is about ${before.practice}`)
      recommendations.set(subject, { ...detail, id: subject, by: author.id, at, answer: null, withdrawn: null })
    },
  } satisfies DecisionKind<v.InferOutput<typeof makeSchema>>),

  'recommendation.answer': defineKind({
    title: 'The vendor answers a recommendation',
    roles: ['vendor'],
    schema: answerSchema,
    apply: (register, { author, at, subject, detail }) => {
      const found = open(register, subject)
      if (found.answer?.answer === 'done') refuse('decision.wrong-state', `${subject} is done`)
      register.recommendations.set(subject, { ...found, answer: { ...detail, by: author.id, at } })
    },
  } satisfies DecisionKind<v.InferOutput<typeof answerSchema>>),

  'recommendation.withdraw': defineKind({
    title: 'The certifier recommends something no more',
    roles: ['certifier'],
    schema: withdrawSchema,
    apply: (register, { author, at, subject, detail: { reason } }) => {
      const found = open(register, subject)
      register.recommendations.set(subject, { ...found, withdrawn: { reason, by: author.id, at } })
    },
  } satisfies DecisionKind<v.InferOutput<typeof withdrawSchema>>),
}
