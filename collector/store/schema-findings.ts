import type { Generated } from 'kysely'
import type { FindingCode, Severity } from '../../shared/codes/findings.ts'
import type { CaseState, FindingState, TransitionCause } from '../model/finding.ts'

/** Tables of findings and of what people say about them: part of ./schema.ts, where the conventions stand. */

export interface FindingsTable {
  id: string
  device_id: number
  code: FindingCode
  subject: string
  value_before: string | null
  value_after: string | null
  severity: Severity
  state: FindingState
  opened_at: number
  last_seen_at: number
  resolved_at: number | null
  evidence_hash: Uint8Array
  /** null in rows that are older than this column: then it is `opened_at`. */
  first_opened_at: number | null
  openings: Generated<number>
  hysteresis_recent: string | null
  hysteresis_good: number | null
  hysteresis_at: number | null
  acknowledged_by: string | null
  acknowledged_at: number | null
  acknowledged_until: number | null
  acknowledgement_reason: string | null
}

/** The life of a finding; goes with it. */
export interface FindingTransitionsTable {
  id: Generated<number>
  finding_id: string
  at: number
  state: FindingState
  cause: TransitionCause
  actor: string | null
  value_before: string | null
  value_after: string | null
  evidence_hash: Uint8Array | null
}

export interface FindingPoliciesTable {
  product_id: string
  code: FindingCode
  severity: Severity | null
  hysteresis_count: number | null
  hysteresis_of: number | null
  hysteresis_spacing_ms: number | null
  set_by: string
  set_at: number
}

export interface ReassessmentCasesTable {
  id: string
  product_id: string
  /** Of the decision log. */
  certificate_id: string
  cause: FindingCode
  trigger_id: string
  state: CaseState
  opened_at: number
  triage_by: number
}

export interface CaseFindingsTable {
  case_id: string
  finding_id: string
}
