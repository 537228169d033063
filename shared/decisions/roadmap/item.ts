import * as v from 'valibot'
import { PRACTICE_IDS } from '../../maturity/practices.ts'
import { productNames } from '../documents/document.ts'
import { DAY, defineKind, longText, refuse, seconds, shortText, type DecisionKind } from '../kind.ts'
import type { Register } from '../register.ts'

const level = (least: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(4))

const addSchema = v.pipe(
  v.strictObject({
    title: shortText,
    practice: v.picklist(PRACTICE_IDS),
    products: productNames,
    /** Levels of the practice now, and afterwards. The same where a level is to be kept. */
    fromLevel: level(0),
    toLevel: level(1),
    owner: shortText,
    /** The first moment at which it is overdue. */
    due: seconds,
    /** What has to be shown before it is done. */
    evidence: longText,
    /** What it answers: a recommendation, or a reassessment; null for neither. */
    recommendation: v.nullable(shortText),
    case: v.nullable(shortText),
  }),
  v.check(({ fromLevel, toLevel }) => fromLevel <= toLevel, 'it would lower the level'),
)
const changeSchema = v.strictObject({ owner: shortText, due: seconds, reason: longText })
const closeSchema = v.strictObject({
  /** `done`: the reason says by what that was shown. */
  outcome: v.picklist(['done', 'dropped']),
  reason: longText,
})

/** A step on the way from what is to what the profile asks for (practice model, R15): signed, with who does it and until when. */
export interface RoadmapStep extends v.InferOutput<typeof addSchema> {
  readonly id: string
  readonly by: string
  /** Seconds since 1970. */
  readonly at: number
  /** The day that was promised at first: moving it hides nothing. */
  readonly firstDue: number
  readonly closed: {
    readonly outcome: 'done' | 'dropped'
    readonly reason: string
    readonly by: string
    readonly at: number
  } | null
}

export type StepStanding = 'open' | 'overdue' | 'done' | 'dropped'

/** `at`: seconds since 1970. */
export const standingOfStep = ({ closed, due }: RoadmapStep, at: number): StepStanding =>
  closed?.outcome ?? (at >= due ? 'overdue' : 'open')

function open({ roadmap }: Register, id: string): RoadmapStep {
  const found = roadmap.get(id) ?? refuse('decision.no-such-subject', id)
  return found.closed === null ? found : refuse('decision.wrong-state', `${id} is ${found.closed.outcome}`)
}

const TEN_YEARS = 3653 * DAY
function assertDue(due: number, at: number): void {
  if (due <= at) refuse('decision.period', 'the day is over already')
  if (due > at + TEN_YEARS) refuse('decision.period', 'it is due in more than ten years')
}

const WHO_MENDS = ['vendor', 'operator'] as const

export const roadmapKinds = {
  'roadmap.add': defineKind({
    title: 'A step is put on the roadmap',
    roles: WHO_MENDS,
    schema: addSchema,
    apply: ({ roadmap, recommendations, cases }, { author, at, subject, detail }) => {
      if (roadmap.has(subject)) refuse('decision.exists-already', subject)
      assertDue(detail.due, at)
      if (detail.recommendation !== null) {
        const found =
          recommendations.get(detail.recommendation) ?? refuse('decision.no-such-subject', detail.recommendation)
        if (found.practice !== detail.practice) refuse('decision.wrong-state', `${found.id} is about ${found.practice}`)
      }
      if (detail.case !== null && !cases.has(detail.case)) refuse('decision.no-such-subject', detail.case)
      roadmap.set(subject, { ...detail, id: subject, by: author.id, at, firstDue: detail.due, closed: null })
    },
  } satisfies DecisionKind<v.InferOutput<typeof addSchema>>),

  'roadmap.change': defineKind({
    title: 'A step of the roadmap has another owner or day',
    roles: WHO_MENDS,
    schema: changeSchema,
    apply: (register, { at, subject, detail: { owner, due } }) => {
      const found = open(register, subject)
      assertDue(due, at)
      register.roadmap.set(subject, { ...found, owner, due })
    },
  } satisfies DecisionKind<v.InferOutput<typeof changeSchema>>),

  'roadmap.close': defineKind({
    title: 'A step of the roadmap is done, or dropped',
    roles: WHO_MENDS,
    schema: closeSchema,
    apply: (register, { author, at, subject, detail }) => {
      const found = open(register, subject)
      register.roadmap.set(subject, { ...found, closed: { ...detail, by: author.id, at } })
    },
  } satisfies DecisionKind<v.InferOutput<typeof closeSchema>>),
}
