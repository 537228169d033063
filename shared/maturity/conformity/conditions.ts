import {
  stateOfAssumption,
  stateOfLimitation,
  type AssumptionState,
  type Evidence,
  type LimitationState,
} from '../checks.ts'
import { PRACTICE_IDS, type PracticeId } from '../practices.ts'
import type { Check, ProfileDocument, UnpatchedScope } from '../profile.ts'
import type { ConditionCriterion } from './assess.ts'

interface ConditionBase {
  readonly profile: { readonly id: string; readonly version: number }
  readonly id: string
  /** For people: what it is. */
  readonly title: string
  readonly practices: readonly PracticeId[]
  /** What it was looked at by, in words; null where nothing could notice. */
  readonly check: string | null
}

/** Devices that a limitation leaves without fixes, by advisory: those that wait longest first. */
export interface Unpatched extends UnpatchedScope {
  readonly units: number
  readonly advisories: readonly { readonly advisory: string; readonly units: number; readonly publishedAt: number }[]
}

/** What a limitation or an assumption of a profile is, by the evidence of one evaluation. */
export type ConditionState =
  | (ConditionBase & {
      readonly kind: 'limitation'
      readonly state: LimitationState
      readonly measure: string | null
      readonly unpatched?: Unpatched
    })
  | (ConditionBase & { readonly kind: 'assumption'; readonly state: AssumptionState })

/** All limitations, then all assumptions of a profile. An assumption that names no practice is about all of its own. */
export function conditionsOf(
  profile: ProfileDocument,
  evidence: Evidence,
  unpatched: (limitation: string) => Omit<Unpatched, keyof UnpatchedScope> = () => ({ units: 0, advisories: [] }),
): readonly ConditionState[] {
  const { id, version, limitations, assumptions } = profile
  const own = PRACTICE_IDS.filter((practice) => profile.practices[practice] !== undefined)
  return [
    ...limitations.map((each): ConditionState => ({
      kind: 'limitation',
      profile: { id, version },
      id: each.id,
      title: each.title,
      practices: each.practices,
      check: each.compensation === null ? null : checkText(each.compensation.check),
      measure: each.compensation?.text ?? null,
      state: stateOfLimitation(each, evidence),
      ...(each.unpatched && { unpatched: { ...each.unpatched, ...unpatched(each.id) } }),
    })),
    ...assumptions.map((each): ConditionState => ({
      kind: 'assumption',
      profile: { id, version },
      id: each.id,
      title: each.text,
      practices: each.practices.length === 0 ? own : each.practices,
      check: each.check === undefined ? null : checkText(each.check),
      state: stateOfAssumption(each, evidence),
    })),
  ]
}

function checkText(check: Check): string {
  if (check.kind === 'signal') return `the signal ${check.signal}`
  if (check.kind === 'document') return `the document ${check.document}`
  return `${check.section} ${check.fact.join('.')} = ${String(check.equals)} on ${check.sharePercent} % of the units`
}

/**
 * What conditions mean for one practice. Without what makes up for a limitation its level is not shown to hold; an
 * assumption that does not hold, or that nobody can see, is a risk. Worst first.
 */
export function conditionCriteria(
  practice: PracticeId,
  conditions: readonly ConditionState[],
): readonly ConditionCriterion[] {
  return conditions
    .filter(({ practices }) => practices.includes(practice))
    .flatMap((condition) => criterionOf(condition) ?? [])
}

function criterionOf(condition: ConditionState): ConditionCriterion | null {
  const { id, title, check } = condition
  const about = { condition: id } as const
  const by = check ?? 'nothing'
  switch (condition.state) {
    case 'uncovered': {
      const text = `limitation ${id} (${title}): what makes up for it does not work, by ${by}`
      const restore = 'Mend the compensatory measure, or change the profile: keepseal profile apply --help'
      return { effect: 'unsupported', reason: { ...about, code: 'limitation-uncovered', text, restore } }
    }
    case 'broken': {
      const text = `assumption ${id} (${title}) does not hold, by ${by}`
      const restore = 'Bring the surroundings back, or have the profile changed: keepseal profile apply --help'
      return { effect: 'at-risk', reason: { ...about, code: 'assumption-broken', text, restore } }
    }
    case 'unknown': {
      const restore = `Have it shown again: ${by}`
      if (condition.kind === 'assumption') {
        const text = `assumption ${id} (${title}): not known whether it holds`
        return { effect: 'at-risk', reason: { ...about, code: 'assumption-unknown', text, restore } }
      }
      const text = `limitation ${id} (${title}): not known whether what makes up for it works`
      return { effect: 'unsupported', reason: { ...about, code: 'limitation-unknown', text, restore } }
    }
    case 'covered':
    case 'uncompensated':
    case 'holds':
    case 'unmonitored':
      return null
  }
}
