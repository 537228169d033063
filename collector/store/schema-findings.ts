import type { Generated } from 'kysely'
import type { FindingCode, Severity } from '../../shared/codes/findings.ts'
import type { FindingState, TransitionCause } from '../model/finding.ts'

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

/** `subject_end` null: `subject_start` is all of it. */
export interface FindingExceptionsTable {
  id: string
  product_id: string
  device_id: number | null
  group_id: string | null
  code: FindingCode
  subject_start: string
  subject_end: string | null
  reason: string
  created_by: string
  created_at: number
  expires_at: number
  ended_by: string | null
  ended_at: number | null
  /** When it was noticed that it is over, and what it covered began to act. */
  lapsed_at: number | null
}

export interface DeviceLabelsTable {
  device_id: number
  key: string
  value: string
}

/** `vendor`: of whoever made it and is bound to one; null: of those who are bound to none. */
export interface DeviceGroupsTable {
  id: string
  vendor: string | null
  name: string
  created_by: string
  created_at: number
}

/** What a device has to have to be in the group. */
export interface GroupLabelsTable {
  group_id: string
  key: string
  value: string
}
