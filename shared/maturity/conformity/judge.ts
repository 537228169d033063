import type { Objective, SignalDefinition } from '../signals/definition.ts'
import { toStored, WHOLE, type Measurement, type Sample } from './sample.ts'

/** `idle`: there was nothing to measure it from, which speaks neither for nor against. */
export type SignalState = 'met' | 'at-risk' | 'broken' | 'unknown' | 'idle'

export type JudgedBecause =
  | 'met'
  /** It fails now, and the window still has room for that. */
  | 'failing-now'
  /** What fails is more than the window allows. */
  | 'budget-spent'
  | 'budget-low'
  | 'near-target'
  | 'over-target'
  /** Too little of the fleet is known to say anything. */
  | 'coverage'
  | 'unmeasured'
  | 'idle'

export interface Judged {
  readonly state: SignalState
  readonly because: JudgedBecause
  /** Of shares with a budget: how much of it the window has used, 1 is all. */
  readonly burn: number | null
  /** First day of the newest run of days that fail without a break; null where today does not fail. */
  readonly failingSince: number | null
}

/** How much of a budget, or of a percentile's target, may be used before it is told. */
const WARN_AT = 0.75
/** An age grows by a day each day, and everybody can see it coming. */
const WARN_AT_AGE = 0.9
const DEFAULT_COVERAGE = 0

/**
 * Whether an objective is met, by what is measured now and by the samples of its window (without today). Of shares the
 * window has a budget: what may fail, added up over its days. It is broken when the budget is used up and it fails now,
 * so that a short dip is a risk and no break, and a repaired fleet need not wait until the window has passed.
 */
export function judge(
  definition: Pick<SignalDefinition, 'unit'>,
  objective: Objective,
  now: Measurement | undefined,
  today: number,
  history: readonly Sample[],
): Judged {
  const target = toStored(definition.unit, objective.target)
  const window = history.filter(({ day }) => day < today && day > today - objective.windowDays)
  if (now === undefined) return undecided('unmeasured')
  if (now.idle === true) return { state: 'idle', because: 'idle', burn: null, failingSince: null }
  if (definition.unit !== 'share') return judgeAtMost(objective, target, now, today, history)
  return judgeShare(objective, target, now, today, window, history)
}

const undecided = (because: 'coverage' | 'unmeasured'): Judged => ({
  state: 'unknown',
  because,
  burn: null,
  failingSince: null,
})

function judgeAtMost(
  objective: Objective,
  target: number,
  { value }: Measurement,
  today: number,
  history: readonly Sample[],
): Judged {
  if (value === null) return undecided('unmeasured')
  const fails = (each: Measurement): boolean => each.value !== null && each.value > target
  const warnAt = target * (objective.percentile === undefined ? WARN_AT_AGE : WARN_AT)
  if (value > target) {
    return { state: 'broken', because: 'over-target', burn: null, failingSince: since(fails, today, history) }
  }
  if (target > 0 && value > warnAt) return { state: 'at-risk', because: 'near-target', burn: null, failingSince: null }
  return { state: 'met', because: 'met', burn: null, failingSince: null }
}

function judgeShare(
  { coverage = DEFAULT_COVERAGE }: Objective,
  target: number,
  now: Measurement,
  today: number,
  window: readonly Sample[],
  history: readonly Sample[],
): Judged {
  const fails = (each: Measurement): boolean => failsShare(each, target, coverage)
  const failing = fails(now)
  if (!failing && !isCovered(now, coverage)) return undecided(now.known === 0 ? 'unmeasured' : 'coverage')
  const burn = burnOf([...window, now], target)
  const failingSince = failing ? since(fails, today, history) : null
  if (failing) {
    const isSpent = burn === null || burn >= 1
    return {
      state: isSpent ? 'broken' : 'at-risk',
      because: isSpent ? 'budget-spent' : 'failing-now',
      burn,
      failingSince,
    }
  }
  const isLow = burn !== null && burn >= WARN_AT
  return { state: isLow ? 'at-risk' : 'met', because: isLow ? 'budget-low' : 'met', burn, failingSince }
}

const isCovered = ({ known, denominator }: Measurement, coverage: number): boolean =>
  known > 0 && known >= coverage * denominator

/** By what is known, where that is enough of the fleet; else only where it fails even if all the others were good. */
function failsShare(each: Measurement, target: number, coverage: number): boolean {
  const bad = each.known - each.good
  const of = isCovered(each, coverage) ? each.known : each.denominator
  return bad * WHOLE > (WHOLE - target) * of
}

/** Days are weighed alike, whatever the fleet's size on them. null: nothing may fail, so there is no budget. */
function burnOf(samples: readonly Measurement[], target: number): number | null {
  const known = samples.filter((each) => each.known > 0)
  const budget = ((WHOLE - target) / WHOLE) * known.length
  if (target >= WHOLE) return null
  return known.reduce((sum, each) => sum + (each.known - each.good) / each.known, 0) / budget
}

/** Days without a sample are taken for those before them: nobody looked. */
function since(fails: (each: Measurement) => boolean, today: number, history: readonly Sample[]): number {
  let first = today
  for (const each of history.filter(({ day }) => day < today).sort((a, b) => b.day - a.day)) {
    if (!fails(each)) break
    first = each.day
  }
  return first
}
