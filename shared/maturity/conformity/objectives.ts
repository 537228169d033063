import { objectiveOf } from '../objective.ts'
import { SIGNALS, type SignalId } from '../signals.ts'
import { directionOf, type Objective } from '../signals/definition.ts'
import type { SloOverride } from '../slo-override.ts'

/**
 * What a level asks of a signal: the catalogue's number, unless the profile has agreed on something easier; what it has
 * agreed on otherwise (window, percentile, coverage) holds all the same.
 */
export function levelObjective(signal: SignalId, asked: number, override?: SloOverride): Objective {
  const agreed = objectiveOf(signal, override)
  const isAgreed = override?.target !== undefined || override?.targetPermille !== undefined
  const easier = directionOf(SIGNALS[signal]) === 'at-least' ? Math.min : Math.max
  return { ...agreed, target: isAgreed ? easier(asked, agreed.target) : asked }
}
