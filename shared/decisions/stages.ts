import * as v from 'valibot'
import { SCENARIOS } from '../maturity/profile.ts'
import { defineKind, longText, refuse, shortText, type DecisionKind } from './kind.ts'
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

/** Error: certificate.stage-open. */
export function assertStagesPassed(register: Register, certificate: string): void {
  const stage = openStage(register, certificate)
  if (stage !== null) refuse('certificate.stage-open', `${certificate} is at the stage ${stage}`)
}

function assertDraft({ certificates }: Register, id: string): void {
  const found = certificates.get(id) ?? refuse('decision.no-such-subject', id)
  if (found.state !== 'draft') refuse('decision.wrong-state', `${id} is ${found.state}`)
}

export const stageKinds = {
  'assessment.begin': defineKind({
    title: 'The assessment of a draft begins, in stages',
    roles: ['certifier'],
    schema: beginSchema,
    apply: (register, { author, at, subject, detail: { scenario } }) => {
      assertDraft(register, subject)
      if (register.assessments.has(subject)) refuse('decision.exists-already', subject)
      const begun = { certificate: subject, scenario, begunBy: author.id, begunAt: at, results: [] }
      register.assessments.set(subject, begun)
    },
  } satisfies DecisionKind<v.InferOutput<typeof beginSchema>>),

  'assessment.stage': defineKind({
    title: 'A stage of the assessment is passed, or not',
    roles: ['certifier'],
    schema: stageSchema,
    apply: (register, { author, at, subject, detail }) => {
      assertDraft(register, subject)
      const found = register.assessments.get(subject) ?? refuse('decision.no-such-subject', `${subject}: no assessment`)
      const stage = currentStage(found)
      // One after the other: what is built on a stage that was not passed has no ground.
      if (detail.stage !== stage) refuse('decision.wrong-state', `${subject} is at ${stage ?? 'the end of its stages'}`)
      const result = { ...detail, by: author.id, at }
      register.assessments.set(subject, { ...found, results: [...found.results, result] })
    },
  } satisfies DecisionKind<v.InferOutput<typeof stageSchema>>),
}
