import type { RecordedEventKind } from '../../shared/maturity/events/kinds.ts'

/** Tables of what is watched about practices: part of ./schema.ts, where the conventions stand. */

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
