import type { SectionId } from '../posture/sections.ts'
import type { Assumption, Check, Limitation } from './profile.ts'
import type { SignalId } from './signals.ts'
import type { SloOverride } from './slo-override.ts'

/** `unknown`: no evidence, or none that is fresh. It is never taken for good. */
export type CheckState = 'holds' | 'broken' | 'unknown'

/** What is known now about that which checks ask for. */
export interface Evidence {
  signal(signal: SignalId, slo: SloOverride | undefined): CheckState
  document(document: string): CheckState
  /** Share of the devices, in percent, on which the fact is so; null: nothing fresh is known. */
  sectionFact(section: SectionId, fact: readonly string[], equals: string | number | boolean): number | null
}

function stateOfCheck(check: Check, evidence: Evidence): CheckState {
  if (check.kind === 'signal') return evidence.signal(check.signal, check.slo)
  if (check.kind === 'document') return evidence.document(check.document)
  const share = evidence.sectionFact(check.section, check.fact, check.equals)
  if (share === null) return 'unknown'
  return share >= check.sharePercent ? 'holds' : 'broken'
}

/** `uncompensated`: nothing makes up for it, and the profile says so. */
export type LimitationState = 'covered' | 'uncovered' | 'unknown' | 'uncompensated'

/** A limitation is covered only while there is fresh evidence of what makes up for it. */
export function stateOfLimitation({ compensation }: Limitation, evidence: Evidence): LimitationState {
  if (compensation === null) return 'uncompensated'
  const state = stateOfCheck(compensation.check, evidence)
  return state === 'holds' ? 'covered' : state === 'broken' ? 'uncovered' : 'unknown'
}

/** `unmonitored`: there is no check that could notice when it breaks. */
export type AssumptionState = CheckState | 'unmonitored'

export const stateOfAssumption = ({ check }: Assumption, evidence: Evidence): AssumptionState =>
  check === undefined ? 'unmonitored' : stateOfCheck(check, evidence)
