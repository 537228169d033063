import type { RecordedFact } from '../../shared/maturity/events/kinds.ts'

/** Something that people recorded about a product. Never changed: what was wrong is corrected by another event. */
export type RecordedEvent = RecordedFact & {
  /** `evt_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  /** When it happened, as people say; and when they said so. */
  readonly occurredAt: number
  readonly recordedAt: number
  /** Token and its name. */
  readonly recordedBy: string
  readonly recordedByName: string
  /** Where more is written about it; empty: nowhere. */
  readonly reference: string
  /** The event that this one stands in place of, which counts no more. */
  readonly corrects: string | null
}
