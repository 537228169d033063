import {
  evaluate,
  notEvaluated,
  type Evaluation,
  type Hysteresis,
  type HysteresisState,
} from '../../hysteresis/hysteresis.ts'
import { DAY_MS } from './sample.ts'
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
  /** ms since 1970: since when it is in drift without a break; null while it is not. Absent in what was kept of earlier versions. */
  readonly driftSince?: number | null
}

const entered = (at: number): HysteresisState => ({ isEntered: true, recent: 'b', good: 0, at })

/** The first look is taken as it is: there is nothing that it could flap against. */
function begin(raw: RawStatus, at: number): Waiting {
  const state = (is: boolean): HysteresisState => (is ? entered(at) : { ...notEvaluated, at })
  return {
    drift: state(raw === 'drift'),
    atRisk: state(raw === 'at-risk' || raw === 'drift'),
    unknown: state(raw === 'unknown'),
    driftSince: raw === 'drift' ? at : null,
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
  const judged = next(waiting.drift, raw === 'drift', isKnown)
  const drift = immediate && raw === 'drift' ? { ...judged, isEntered: true } : judged
  return {
    drift,
    atRisk: next(waiting.atRisk, raw === 'at-risk' || raw === 'drift', isKnown),
    unknown: next(waiting.unknown, !isKnown),
    driftSince: drift.isEntered ? (waiting.driftSince ?? at) : null,
  }
}

/** Whether a drift has lasted for longer than was agreed. What is unknown meanwhile is no break: it clears no drift. */
export const isTooLong = ({ driftSince }: Waiting, days: number | undefined, now: number): boolean =>
  days !== undefined && typeof driftSince === 'number' && now - driftSince > days * DAY_MS

/**
 * `nonconforming`: the certifier has said that the drift is a nonconformity, which only he takes back; or it has lasted for
 * too long, which ends with the drift.
 */
export function statusOf({ drift, atRisk, unknown }: Waiting, nonconforming: boolean): PracticeStatus {
  if (nonconforming) return 'nonconforming'
  if (drift.isEntered) return 'drift'
  if (unknown.isEntered) return 'unknown'
  return atRisk.isEntered ? 'at-risk' : 'conforming'
}
