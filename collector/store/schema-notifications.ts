import type { Generated } from 'kysely'
import type { DeliveryState, EventKind } from '../model/notification.ts'
import type { Severity } from '../../shared/codes/findings.ts'

/** Tables of what people are told: part of ./schema.ts, where the conventions stand. */

export interface NotificationEventsTable {
  id: Generated<number>
  kind: EventKind
  at: number
  severity: Severity
  product_id: string | null
  ueid: string | null
  code: string | null
  subject: string
  body: string
  /** 0 until its deliveries exist. A number that grows would not do: two transactions may commit in another order. */
  is_dispatched: number
}

export interface NotificationDeliveriesTable {
  id: Generated<number>
  channel: string
  event_id: number
  state: DeliveryState
  attempts: number
  first_attempt_at: number | null
  next_attempt_at: number
  error: string | null
  sent_at: number | null
}

export interface RemindersTable {
  /** What the date is of. */
  subject: string
  /** The later of its thresholds, the higher. */
  stage: number
  told_at: number
}
