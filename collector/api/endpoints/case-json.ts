import * as v from 'valibot'
import { CASE_STATES, type Case } from '../../../shared/decisions/cases/case.ts'
import { deadlinesOf, overdueOf, type Deadline } from '../../../shared/decisions/cases/deadlines.ts'
import { NEXT_STEPS } from '../../../shared/decisions/cases/next-steps.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { causeOf } from '../../../shared/maturity/causes.ts'
import { triggerOf } from '../../../shared/maturity/triggers.ts'
import type { ReassessmentCase } from '../../model/case.ts'
import { id, Time, toTime, toTimeOrNull } from '../schemas.ts'

/** How cases look in the API. The state is that of the decision log. */

export const CaseStates = v.picklist(CASE_STATES)

export const caseFields = {
  id: id('cas'),
  productId: id('prd'),
  /** Of the decision log. */
  certificateId: v.string(),
  releaseId: v.nullable(v.string()),
  /** Code of a finding, or a cause of its own. */
  cause: v.string(),
  subject: v.string(),
  title: v.string(),
  /** Reassessment trigger of the practice model. */
  trigger: v.string(),
  /** `review`: due by the calendar, and says nothing against the product. */
  opens: v.picklist(['case', 'review']),
  severity: v.string(),
  state: CaseStates,
  openedAt: Time,
  /** When the software noticed; not when the vendor was aware. */
  detectedAt: Time,
  /** When a person must have triaged it. */
  triageBy: Time,
  /** The next deadline that is not known to be met, and whether one has passed. */
  due: v.nullable(Time),
  overdue: v.boolean(),
}
export const CaseJson = v.strictObject(caseFields)

const seconds = (ms: number): number => Math.floor(ms / 1000)
const time = (at: number): string => toTime(at * 1000)

export function deadlinesAt(record: ReassessmentCase, register: Register): readonly Deadline[] {
  const { trigger, openedAt, certificateId } = record
  const opened = { trigger, openedAt: seconds(openedAt) }
  return deadlinesOf(opened, register.cases.get(record.id), register.certificates.get(certificateId))
}

export function caseJson(record: ReassessmentCase, register: Register, now: number): v.InferOutput<typeof CaseJson> {
  const { isOnce: _, facts: __, ...same } = record
  const deadlines = deadlinesAt(record, register)
  const next = deadlines.find(({ metAt }) => metAt === null)
  return {
    ...same,
    title: causeOf(record.cause).title,
    opens: triggerOf(record.trigger).opens,
    state: register.cases.get(record.id)?.state ?? 'triggered',
    openedAt: toTime(record.openedAt),
    detectedAt: toTime(record.detectedAt),
    triageBy: toTime(record.triageBy),
    due: next === undefined ? null : time(next.due),
    overdue: overdueOf(deadlines, seconds(now)).length > 0,
  }
}

const Act = { by: v.string(), at: Time }

export const DeadlineJson = v.strictObject({
  id: v.string(),
  title: v.string(),
  due: Time,
  /** null: not done, or of a law, whose doing is not known here. */
  metAt: v.nullable(Time),
  overdue: v.boolean(),
  /** Of a law or scheme: not legal advice. */
  legal: v.boolean(),
})

export const deadlineJson = (deadline: Deadline, now: number): v.InferOutput<typeof DeadlineJson> => ({
  id: deadline.id,
  title: deadline.title,
  due: time(deadline.due),
  metAt: toTimeOrNull(deadline.metAt === null ? null : deadline.metAt * 1000),
  overdue: overdueOf([deadline], seconds(now)).length > 0,
  legal: deadline.isLegal,
})

export const StepJson = v.strictObject({
  ...Act,
  name: v.string(),
  role: v.nullable(v.string()),
  /** Place of its entry in the log. */
  index: v.number(),
  step: v.string(),
  state: CaseStates,
})

export function historyJson({ history }: Case, { people }: Register): v.InferOutput<typeof StepJson>[] {
  return history.map(({ by, at, index, step, state }) => {
    const person = people.get(by)
    return { by, at: time(at), name: person?.name ?? by, role: person?.role ?? null, index, step, state }
  })
}

export const NextJson = v.nullable(
  v.strictObject({ who: v.string(), what: v.string(), verb: v.nullable(v.string()), decide: v.nullable(v.string()) }),
)

export function nextJson(record: ReassessmentCase, decided: Case | undefined): v.InferOutput<typeof NextJson> {
  const step = NEXT_STEPS[decided?.state ?? 'triggered']
  return step === null ? null : { ...step, decide: triggerOf(record.trigger).toDecide ?? null }
}
