import type { Generated } from 'kysely'
import type { PracticeStatus } from '../../shared/maturity/conformity/status.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { SignalId } from '../../shared/maturity/signals.ts'
import type { RecordedEventKind } from '../../shared/maturity/events/kinds.ts'

/** Tables of what is watched about practices: part of ./schema.ts, where the conventions stand. */

export interface ProfileDocumentsTable {
  digest: Uint8Array
  bytes: Uint8Array
  stored_at: number
}

export interface RecordedEventsTable {
  id: string
  product_id: string
  kind: RecordedEventKind
  /** JSON: shared/maturity/events/kinds.ts. */
  detail: string
  occurred_at: number
  recorded_at: number
  recorded_by: string
  recorded_by_name: string
  reference: string
  corrects: string | null
}

export interface ProductUnitsTable {
  product_id: string
  declared: number | null
  retire_after_days: number
  set_at: number
  set_by: string
}

/** One row a product, signal and day (since 1970, UTC). Shares in millionths, times in ms. */
export interface SignalSamplesTable {
  product_id: string
  signal: SignalId
  sampled_day: number
  value: number | null
  good: number
  known: number
  denominator: number
  /** JSON. */
  detail: string
}

/** How many units began to run the fix of an advisory on a day. */
export interface AdvisoryProgressTable {
  product_id: string
  advisory: string
  fixed_day: number
  units: number
}

export interface PracticeEvaluationsTable {
  product_id: string
  slot: number
  evaluated_at: number
  /** JSON. */
  fleet: string
  /** JSON. */
  conditions: string
}

export interface PracticeStatesTable {
  product_id: string
  practice: PracticeId
  status: PracticeStatus
  since: number
  /** JSON, as are `confirmed` and `explanation`. */
  waiting: string
  confirmed: string | null
  explanation: string
}

export interface PracticeTransitionsTable {
  id: Generated<number>
  product_id: string
  practice: PracticeId
  from_status: PracticeStatus | null
  to_status: PracticeStatus
  changed_at: number
  explanation: string
}
