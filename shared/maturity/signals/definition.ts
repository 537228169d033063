import type { PracticeId } from '../practices.ts'

/** Comprehensiveness of a practice: minimum, ad hoc, consistent, formalized. Each presumes those below it. */
export const LEVELS = [1, 2, 3, 4] as const
export type Level = (typeof LEVELS)[number]

/**
 * How a value is known, which says how high it can carry a practice (./caps.ts has the rules):
 * `measured`: quoted by a TPM and compared with reference values. `asserted`: the agent says so. `observed`: the
 * collector has seen it itself. `recorded`: people recorded events of it.
 */
export const SIGNAL_SOURCES = ['measured', 'asserted', 'observed', 'recorded'] as const
export type SignalSource = (typeof SIGNAL_SOURCES)[number]

/** `share`: of units or of events that are as they should be, 0 to 1. The others: the less the better. */
export const SIGNAL_UNITS = ['share', 'days', 'hours', 'count'] as const
export type SignalUnit = (typeof SIGNAL_UNITS)[number]

/** A service level objective: what a value has to be, looked at over how long. */
export interface Objective {
  /** In the signal's unit: at least this share, at most this much of anything else. */
  readonly target: number
  readonly windowDays: number
  /** Of durations: which percentile is compared with the target. A mean hides those who wait longest. */
  readonly percentile?: number
  /** Of shares of units: how much of the fleet has to be known before the value counts. */
  readonly coverage?: number
}

/** What a signal says about one practice. */
export interface PracticeEffect {
  /** For each level that asks for it, what the value has to be: a value that fails refutes this level and all above. */
  readonly levels: Readonly<Partial<Record<Level, number>>>
  /** The highest level that it can help to support; 0: it can only contradict what documents say. */
  readonly supports: Level | 0
}

export interface SignalDefinition {
  /** One line for people: what is counted, as it should be. */
  readonly title: string
  readonly unit: SignalUnit
  readonly source: SignalSource
  /** What a unit's boot does not prove it does not know either: boot coverage limits what this can support. */
  readonly needsBoot?: true
  readonly objective: Objective
  /** Status follows at once, without waiting for further evaluations. */
  readonly immediate?: true
  readonly practices: Readonly<Partial<Record<PracticeId, PracticeEffect>>>
}

export const directionOf = ({ unit }: Pick<SignalDefinition, 'unit'>): 'at-least' | 'at-most' =>
  unit === 'share' ? 'at-least' : 'at-most'

/** Helpers for the tables beside this file. */
export const upTo = (supports: Level | 0, levels: PracticeEffect['levels']): PracticeEffect => ({ levels, supports })
export const share = (target: number, windowDays = 28): Objective => ({ target, windowDays, coverage: 0.95 })
export const within = (target: number, percentile: number, windowDays = 90): Objective => ({
  target,
  percentile,
  windowDays,
})
export const latest = (target: number): Objective => ({ target, windowDays: 90 })
