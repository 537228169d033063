/**
 * N of M: what is measured is in deviation when `count` of its last `of` evaluations were bad, and out of it after twice
 * the time of those `of` evaluations without a bad one. For measured things only: what fails integrity never waits.
 */
export interface Hysteresis {
  readonly count: number
  readonly of: number
  /**
   * Evaluations nearer to each other than this are one, and it is bad when one of them was. So neither a burst of reports
   * nor a hasty reporter makes the time of waiting shorter.
   */
  readonly spacingMs?: number
}

/** What is kept from one evaluation to the next. */
export interface HysteresisState {
  readonly isEntered: boolean
  /** The newest evaluations, oldest first: `b` bad, `g` good. */
  readonly recent: string
  /** Good evaluations in a row since the last bad one; counted no further than leaving needs. */
  readonly good: number
  /** When the newest evaluation began, ms; null before the first one. */
  readonly at: number | null
}

/** `unknown`: it could not be measured, which is neither good nor bad, and makes no wait shorter. */
export type Evaluation = 'good' | 'bad' | 'unknown'

export const MAX_EVALUATIONS = 64

export const notEvaluated: HysteresisState = { isEntered: false, recent: '', good: 0, at: null }

/** Good evaluations in a row that leaving takes. */
export const neededToLeave = ({ of }: Hysteresis): number => 2 * of

export function isHysteresis({ count, of, spacingMs = 0 }: Hysteresis): boolean {
  const isWhole = Number.isSafeInteger(count) && Number.isSafeInteger(of) && Number.isSafeInteger(spacingMs)
  return isWhole && count >= 1 && count <= of && of <= MAX_EVALUATIONS && spacingMs >= 0
}

/** The state after one evaluation at `at` (ms). A clock that was set back begins a new evaluation. */
export function evaluate(
  hysteresis: Hysteresis,
  state: HysteresisState,
  evaluation: Evaluation,
  at: number,
): HysteresisState {
  if (!isHysteresis(hysteresis)) throw new RangeError('hysteresis: not N of M')
  if (evaluation === 'unknown') return state
  const { spacingMs = 0 } = hysteresis
  if (state.at !== null && at >= state.at && at < state.at + spacingMs) {
    if (evaluation === 'good') return state
    return settled(hysteresis, { ...state, recent: `${state.recent.slice(0, -1)}b`, good: 0 })
  }
  const isGood = evaluation === 'good'
  const good = isGood ? Math.min(state.good + 1, neededToLeave(hysteresis)) : 0
  return settled(hysteresis, { ...state, recent: state.recent + (isGood ? 'g' : 'b'), good, at })
}

function settled(hysteresis: Hysteresis, state: HysteresisState): HysteresisState {
  const recent = state.recent.slice(-hysteresis.of)
  const bad = [...recent].filter((each) => each === 'b').length
  const isEntered = state.isEntered ? state.good < neededToLeave(hysteresis) : bad >= hysteresis.count
  return { ...state, recent, isEntered }
}

/** Nothing is left that a later evaluation could build on: the state need not be kept. */
export const isAtRest = ({ isEntered, recent }: HysteresisState): boolean => !isEntered && !recent.includes('b')
