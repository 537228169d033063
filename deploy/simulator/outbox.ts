import { equal } from '../../shared/bytes/bytes.ts'
import {
  DEFAULT_BACKLOG_PER_SECOND,
  NOTHING_SENT,
  nextDelivery,
  recordSent,
  type Delivery,
  type SentReports,
} from '../../agent/outbox/delivery.ts'
import type { OutboxEntry } from '../../agent/outbox/entry.ts'
import type { SessionReceipt } from '../../shared/evidence/down.ts'

export interface WaitingReport extends OutboxEntry {
  readonly bytes: Uint8Array
  /** Wall clock (ms) of its first sending. */
  firstSentAt: number | null
}

const RULES = { resendSeconds: 25 * 60, backlogPerSecond: DEFAULT_BACKLOG_PER_SECOND }

/** A month of reports every five minutes. */
const MAX_WAITING = 8_640

/** What an agent keeps on its disk, here in memory; what is sent when is decided by the agent's own rules. */
export class SimulatedOutbox {
  #waiting: WaitingReport[] = []
  #sent: SentReports = NOTHING_SENT
  #nextOrder = 0
  dropped = 0
  refused = 0

  get waiting(): readonly WaitingReport[] {
    return this.#waiting
  }

  put(report: Omit<WaitingReport, 'order' | 'firstSentAt'>): void {
    this.#waiting.push({ ...report, order: this.#nextOrder++, firstSentAt: null })
    if (this.#waiting.length <= MAX_WAITING) return
    this.#waiting.shift()
    this.dropped++
  }

  /** What was sent on an earlier connection may be lost. */
  connected(): void {
    this.#sent = NOTHING_SENT
  }

  /** `now`: milliseconds of a clock that never jumps. */
  next(now: number): Delivery {
    return nextDelivery(this.#waiting, this.#sent, now, RULES)
  }

  sent(delivery: Extract<Delivery, { kind: 'send' }>, now: number): void {
    this.#sent = recordSent(this.#sent, delivery, now, this.#waiting)
  }

  find(order: number): WaitingReport | undefined {
    return this.#waiting.find((report) => report.order === order)
  }

  /** Removes what is receipted and gives it. */
  receipted(sessions: readonly SessionReceipt[]): readonly WaitingReport[] {
    const isHeld = ({ session, sequence }: WaitingReport): boolean =>
      sessions.some(
        (receipt) =>
          equal(receipt.session, session) && (sequence <= receipt.contiguousTo || receipt.extra.includes(sequence)),
      )
    return this.#remove(isHeld)
  }

  /** Removes what is refused and gives it. */
  refuse(hashes: readonly Uint8Array[]): readonly WaitingReport[] {
    const removed = this.#remove(({ hash }) => hashes.some((refused) => equal(refused, hash)))
    this.refused += removed.length
    return removed
  }

  #remove(isGone: (report: WaitingReport) => boolean): readonly WaitingReport[] {
    const gone = this.#waiting.filter(isGone)
    if (gone.length > 0) this.#waiting = this.#waiting.filter((report) => !gone.includes(report))
    return gone
  }
}
