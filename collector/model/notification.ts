import type { Severity } from '../../shared/codes/findings.ts'

/** What people may want to hear of. One word for each row of the table in docs/notifications.md. */
export const EVENT_KINDS = [
  'finding.opened',
  'finding.resolved',
  'finding.gathered',
  'verdict.changed',
  'case.opened',
  'exception.over',
  'practice.changed',
  'document.due',
  'review.due',
  'request.due',
  'message.quarantined',
  'clock.wrong',
  'clock.right',
  'feed.refused',
  'feed.stale',
  'feed.fresh',
  'case.critical',
  'case.overdue',
  'test',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** Something that happened, written in the transaction in which it did: neither lost nor told of what was undone. */
export interface NotificationEvent {
  readonly kind: EventKind
  /** ms since 1970. */
  readonly at: number
  readonly severity: Severity
  readonly productId: string | null
  readonly ueid: string | null
  /** Code of a finding or outcome, where there is one. */
  readonly code: string | null
  /** What it is about: the subject of a finding, the id of a case. */
  readonly subject: string
  /** One line for people. */
  readonly text: string
}

export interface StoredEvent extends NotificationEvent {
  readonly id: number
}

/** `dead`: given up after its last attempt; a person may try again. */
export type DeliveryState = 'pending' | 'sent' | 'dead'

/** One event on its way to one channel. */
export interface Delivery {
  readonly id: number
  readonly channel: string
  readonly event: StoredEvent
  readonly state: DeliveryState
  readonly attempts: number
  readonly firstAttemptAt: number | null
  readonly nextAttemptAt: number
  /** What the last attempt ended with; null where none has failed. */
  readonly error: string | null
  readonly sentAt: number | null
}
