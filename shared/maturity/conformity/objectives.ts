import { directionOf, type Objective, type SignalDefinition } from '../signals/definition.ts'
import type { SloOverride } from '../slo-override.ts'

type Definition = Pick<SignalDefinition, 'unit' | 'objective'>

/**
 * An objective as a profile has it. Of shares, `objective` is in percent and `budgetPermille` what may fail, which is
 * the finer of the two; of durations the budget is what may take longer: 100 permille is the 90th percentile.
 */
export function overridden({ unit }: Definition, objective: Objective, override?: SloOverride): Objective {
  if (override === undefined) return objective
  const { objective: asked, windowDays = objective.windowDays, budgetPermille, coveragePercent } = override
  const coverage = coveragePercent === undefined ? objective.coverage : coveragePercent / 100
  const percentile = unit === 'share' || budgetPermille === undefined ? objective.percentile : 100 - budgetPermille / 10
  return {
    target: targetOf(unit, objective.target, asked, budgetPermille),
    windowDays,
    ...(percentile === undefined || objective.percentile === undefined ? {} : { percentile }),
    ...(coverage === undefined ? {} : { coverage }),
  }
}

function targetOf(unit: Definition['unit'], byDefault: number, asked?: number, budgetPermille?: number): number {
  if (unit !== 'share') return asked ?? byDefault
  if (budgetPermille !== undefined) return 1 - budgetPermille / 1000
  return asked === undefined ? byDefault : Math.min(1, asked / 100)
}

/**
 * What a level asks of a signal: the catalogue's number, unless the profile has agreed on something easier; what it has
 * agreed on otherwise (window, coverage) holds all the same.
 */
export function levelObjective(definition: Definition, asked: number, override?: SloOverride): Objective {
  const agreed = overridden(definition, definition.objective, override)
  const isAgreed = override?.objective !== undefined || override?.budgetPermille !== undefined
  const easier = directionOf(definition) === 'at-least' ? Math.min : Math.max
  return { ...agreed, target: isAgreed ? easier(asked, agreed.target) : asked }
}
