import * as v from 'valibot'
import { SCENARIOS } from '../maturity/profile.ts'
import type { Certificate } from './certificate.ts'
import { defineGuarded, type Guard } from './guarded.ts'
import { longText, refuse, shortText, type Decision } from './kind.ts'
import type { Register } from './register.ts'

type Scenario = (typeof SCENARIOS)[number]

/** The stages of an assessment, one after the other, up to the release (practice model, R16). */
export const STAGES = {
  'existing-product': ['current-state', 'enhancement', 'verification'],
  'product-line': ['representative', 'members', 'verification'],
  'new-product': ['design', 'development', 'integration', 'release'],
} as const satisfies Readonly<Record<Scenario, readonly string[]>>

const beginSchema = v.strictObject({ scenario: v.picklist(SCENARIOS) })
const stageSchema = v.strictObject({
  stage: shortText,
  /** `failed`: it stays at this stage, and what was found is recommended upon. */
  outcome: v.picklist(['passed', 'failed']),
  reason: longText,
})

export interface StageResult extends v.InferOutput<typeof stageSchema> {
  readonly by: string
  /** Seconds since 1970. */
  readonly at: number
}

/** Of one certificate, while it is a draft. */
export interface Assessment {
  readonly certificate: string
  readonly scenario: Scenario
  readonly begunBy: string
  readonly begunAt: number
  /** Oldest first. */
  readonly results: readonly StageResult[]
}

/** The stage that is to be passed next; null when all are. */
export function currentStage({ scenario, results }: Pick<Assessment, 'scenario' | 'results'>): string | null {
  const passed = new Set(results.filter(({ outcome }) => outcome === 'passed').map(({ stage }) => stage))
  return STAGES[scenario].find((stage) => !passed.has(stage)) ?? null
}

/** Where the assessment of a draft is; null where none was begun, or all of it is passed. */
export function openStage({ assessments }: Register, certificate: string): string | null {
  const assessment = assessments.get(certificate)
  return assessment === undefined ? null : currentStage(assessment)
}

const draftOf = ({ certificates }: Register, { subject }: Pick<Decision<unknown>, 'subject'>): Certificate =>
  certificates.get(subject) ?? refuse('decision.no-such-subject', subject)

const isDraft: Guard<Certificate, unknown> = {
  code: 'decision.wrong-state',
  wants: 'the certificate is a draft',
  breach: ({ id, state }) => (state === 'draft' ? undefined : `${id} is ${state}`),
}
const notBegun: Guard<Certificate, unknown> = {
  code: 'decision.exists-already',
  wants: 'its assessment was not begun',
  breach: ({ id }, _, { assessments }) => (assessments.has(id) ? id : undefined),
}
const begun: Guard<Certificate, unknown> = {
  code: 'decision.no-such-subject',
  wants: 'its assessment was begun',
  breach: ({ id }, _, { assessments }) => (assessments.has(id) ? undefined : `${id}: no assessment`),
}
/** One after the other: what is built on a stage that was not passed has no ground. */
const isCurrent: Guard<Certificate, { readonly stage: string }> = {
  code: 'decision.wrong-state',
  wants: 'the assessment is at this stage',
  breach: ({ id }, { detail }, register) => {
    const stage = openStage(register, id)
    return detail.stage === stage ? undefined : `${id} is at ${stage ?? 'the end of its stages'}`
  },
}

export const stageKinds = {
  'assessment.begin': defineGuarded<Certificate, v.InferOutput<typeof beginSchema>>({
    title: 'The assessment of a draft begins, in stages',
    roles: ['certifier'],
    schema: beginSchema,
    subject: draftOf,
    guards: [isDraft, notBegun],
    conclude: ({ assessments }, { id }, { author, at, detail: { scenario } }) => {
      assessments.set(id, { certificate: id, scenario, begunBy: author.id, begunAt: at, results: [] })
    },
  }),

  'assessment.stage': defineGuarded<Certificate, v.InferOutput<typeof stageSchema>>({
    title: 'A stage of the assessment is passed, or not',
    roles: ['certifier'],
    schema: stageSchema,
    subject: draftOf,
    guards: [isDraft, begun, isCurrent],
    conclude: ({ assessments }, { id }, { author, at, detail }) => {
      const found = assessments.get(id)
      if (found === undefined) return
      assessments.set(id, { ...found, results: [...found.results, { ...detail, by: author.id, at }] })
    },
  }),
}
