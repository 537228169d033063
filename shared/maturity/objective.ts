import { SIGNALS, type SignalId } from './signals.ts'
import type { Objective } from './signals/definition.ts'
import type { SloOverride } from './slo-override.ts'

/** The objective of a signal as a profile wants it. */
export function objectiveOf(signal: SignalId, override: SloOverride = {}): Objective {
  const { objective, unit } = SIGNALS[signal]
  const { target, targetPermille, windowDays, percentile, coveragePermille } = override
  const wanted = unit === 'share' ? perMille(targetPermille) : target
  const coverage = perMille(coveragePermille) ?? objective.coverage
  const rank = percentile ?? objective.percentile
  return {
    target: wanted ?? objective.target,
    windowDays: windowDays ?? objective.windowDays,
    ...(rank === undefined ? {} : { percentile: rank }),
    ...(coverage === undefined ? {} : { coverage }),
  }
}

const perMille = (value: number | undefined): number | undefined => (value === undefined ? undefined : value / 1000)

/** What of an override does not fit its signal; undefined where all does. */
export function misfitOf(signal: SignalId, override: SloOverride): string | undefined {
  const { unit, objective } = SIGNALS[signal]
  if (unit === 'share' && override.target !== undefined) return 'it is a share: say targetPermille'
  if (unit !== 'share' && override.targetPermille !== undefined) return `it is in ${unit}: say target`
  if (objective.percentile === undefined && override.percentile !== undefined) return 'it has no percentile'
  if (objective.coverage === undefined && override.coveragePermille !== undefined) return 'it has no coverage'
  return undefined
}

/** How the second objective is easier to meet than the first; undefined where it is not. */
export function easing(signal: SignalId, was: Objective, is: Objective): string | undefined {
  const isEasier = SIGNALS[signal].unit === 'share' ? is.target < was.target : is.target > was.target
  if (isEasier) return `target ${was.target} becomes ${is.target}`
  if ((is.percentile ?? 0) < (was.percentile ?? 0)) return `percentile ${was.percentile} becomes ${is.percentile}`
  if ((is.coverage ?? 0) < (was.coverage ?? 0)) return `coverage ${was.coverage} becomes ${is.coverage}`
  return undefined
}
