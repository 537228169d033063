import type { OutboxEntry } from './entry.ts'

export interface DeliveryRules {
  /** Time after which a report without receipt is sent again. */
  readonly resendSeconds: number
  /** Bound of what is sent beside the newest report, so that a fleet that comes back does not flood its broker. */
  readonly backlogPerSecond: number
}

export const DEFAULT_BACKLOG_PER_SECOND = 2

/** What was sent on this connection. To be begun anew on each: an earlier one may have lost everything. */
export interface SentReports {
  /** Order of an entry -> when it was last sent. In milliseconds of a clock that never jumps. */
  readonly at: ReadonlyMap<number, number>
  /** When anything but a newest report was last sent; null for never. */
  readonly lastBacklogAt: number | null
}

export const NOTHING_SENT: SentReports = { at: new Map(), lastBacklogAt: null }

export type Delivery =
  | { readonly kind: 'send'; readonly entry: OutboxEntry; readonly backlog: boolean }
  /** Nothing before `until` (of the same clock), unless a report is put; null: nothing at all. */
  | { readonly kind: 'wait'; readonly until: number | null }

/**
 * What to send next. First the newest report, if it was not sent yet: it alone can change a verdict for the better.
 * Then, oldest first and at a bounded rate, what was not sent on this connection and what got no receipt in time.
 *
 * `entries`: oldest first. `now`: milliseconds of the clock of `sent`.
 */
export function nextDelivery(
  entries: readonly OutboxEntry[],
  sent: SentReports,
  now: number,
  rules: DeliveryRules,
): Delivery {
  const newest = entries.at(-1)
  if (newest === undefined) return { kind: 'wait', until: null }
  if (!sent.at.has(newest.order)) return { kind: 'send', entry: newest, backlog: false }

  const nextSlot = sent.lastBacklogAt === null ? now : sent.lastBacklogAt + 1000 / rules.backlogPerSecond
  let earliest = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    const sentAt = sent.at.get(entry.order)
    const dueAt = sentAt === undefined ? now : sentAt + rules.resendSeconds * 1000
    if (dueAt <= now && nextSlot <= now) return { kind: 'send', entry, backlog: true }
    earliest = Math.min(earliest, Math.max(dueAt, nextSlot))
  }
  return { kind: 'wait', until: earliest }
}

/**
 * The record after a report was sent, or its sending was tried: a failed one has its turn again like a lost one.
 * `entries`: as for `nextDelivery`; what is older than all of them is forgotten.
 */
export function recordSent(
  sent: SentReports,
  { entry, backlog }: Extract<Delivery, { kind: 'send' }>,
  now: number,
  entries: readonly OutboxEntry[],
): SentReports {
  const oldest = entries[0]?.order ?? entry.order
  const at = new Map([...sent.at].filter(([order]) => order >= oldest)).set(entry.order, now)
  return { at, lastBacklogAt: backlog ? now : sent.lastBacklogAt }
}
