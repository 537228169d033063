import type { CodeEntry } from './registry.ts'

/**
 * Whether a finding latches (integrity), follows the measured state (posture), speaks of reporting itself, or of the
 * evidence that does not come (liveness).
 */
export type FindingAxis = 'integrity' | 'posture' | 'reporting' | 'liveness'
export type Severity = 'critical' | 'high' | 'medium' | 'low'

/** `trigger` is the reassessment trigger of the practice model (T1..T19) that a finding of this code belongs to. */
export interface FindingEntry extends CodeEntry {
  readonly axis: FindingAxis
  readonly severity: Severity
  readonly trigger: `T${number}`
}

export const EXAMINE = 'Treat the gateway as possibly compromised; examine it, then: keepseal device approve UEID'
export const APPROVE = 'Undo the change on the gateway, or accept it: keepseal device approve UEID'
