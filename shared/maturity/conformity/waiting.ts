import {
  evaluate,
  notEvaluated,
  type Evaluation,
  type Hysteresis,
  type HysteresisState,
} from '../../hysteresis/hysteresis.ts'
import type { PracticeStatus } from './status.ts'

/** What one evaluation says, before anything waits. */
export type RawStatus = Exclude<PracticeStatus, 'nonconforming'>

/** Entered with three of four evaluations, left after eight good ones in a row. */
export const PRACTICE_HYSTERESIS: Hysteresis = { count: 3, of: 4 }

/** What is kept of a practice from one evaluation to the next: each way of not conforming waits by itself. */
export interface Waiting {
  readonly drift: HysteresisState
  readonly atRisk: HysteresisState
  readonly unknown: HysteresisState
}

const entered = (at: number): HysteresisState => ({ isEntered: true, recent: 'b', good: 0, at })

/** The first look is taken as it is: there is nothing that it could flap against. */
function begin(raw: RawStatus, at: number): Waiting {
  const state = (is: boolean): HysteresisState => (is ? entered(at) : { ...notEvaluated, at })
  return {
    drift: state(raw === 'drift'),
    atRisk: state(raw === 'at-risk' || raw === 'drift'),
    unknown: state(raw === 'unknown'),
  }
}

/**
 * After one more evaluation. What is unknown says neither that a drift goes on nor that it is over, so silence never
 * clears one. `immediate`: what does not wait enters at once; leaving takes its time all the same.
 */
export function advance(waiting: Waiting | null, raw: RawStatus, immediate: boolean, at: number): Waiting {
  if (waiting === null) return begin(raw, at)
  const next = (state: HysteresisState, isBad: boolean, isKnown = true): HysteresisState => {
    const evaluation: Evaluation = !isKnown ? 'unknown' : isBad ? 'bad' : 'good'
    return evaluate(PRACTICE_HYSTERESIS, state, evaluation, at)
  }
  const isKnown = raw !== 'unknown'
  const drift = next(waiting.drift, raw === 'drift', isKnown)
  return {
    drift: immediate && raw === 'drift' ? { ...drift, isEntered: true } : drift,
    atRisk: next(waiting.atRisk, raw === 'at-risk' || raw === 'drift', isKnown),
    unknown: next(waiting.unknown, !isKnown),
  }
}

/** `confirmed`: the certifier has said that the drift is a nonconformity, which only he takes back. */
export function statusOf({ drift, atRisk, unknown }: Waiting, confirmed: boolean): PracticeStatus {
  if (confirmed) return 'nonconforming'
  if (drift.isEntered) return 'drift'
  if (unknown.isEntered) return 'unknown'
  return atRisk.isEntered ? 'at-risk' : 'conforming'
}
