import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Delivery } from '../model/notification.ts'
import type { Store } from '../store/index.ts'
import { toHex, utf8 } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { isWanted, type Channel } from './channel.ts'

export interface DispatcherOptions {
  readonly store: Store
  readonly channels: readonly Channel[]
  /** ms since 1970. */
  readonly clock: () => number
  readonly logger: Logger
  /** Where several collectors share the database, one of them sends. */
  readonly isLeader?: () => Promise<boolean>
  /** How long to wait where there is nothing to do. */
  readonly pollMs?: number
}

const POLL_MS = 1000
const BATCH = 200
/** Events that are sent one by one, at the same time: a slow receiver must not hold back a storm. */
const CONCURRENT = 8
const FIRST_PAUSE_MS = 5000
const LONGEST_PAUSE_MS = 3_600_000
/** After this time without success a delivery is given up, and shown as dead. */
const GIVE_UP_MS = 3 * 86_400_000
const KEEP_SENT_MS = 30 * 86_400_000
/** How often is looked for what can be forgotten: that reads all that is kept. */
const FORGET_EVERY_MS = 60_000
const MAX_ERROR = 256

/** What was sent together is sent together again: under its id a receiver may have taken it already. */
function groupsOf(due: readonly Delivery[]): Iterable<readonly Delivery[]> {
  const groups = new Map<number, Delivery[]>()
  for (const delivery of due) {
    if (delivery.firstAttemptAt === null || delivery.attempts === 0) continue
    const group = groups.get(delivery.firstAttemptAt) ?? []
    group.push(delivery)
    groups.set(delivery.firstAttemptAt, group)
  }
  return groups.values()
}

/**
 * Names a message by exactly what is in it: a receiver that has taken one of this id has taken all of it. After a
 * restart, or when it is tried again much later, more may be gathered into it than before.
 */
function messageId(deliveries: readonly Delivery[]): string {
  const ids = deliveries.map(({ id }) => id)
  return ids.length === 1 ? `ntf_${ids[0]}` : `ntf_${ids[0]}_${toHex(sha256(utf8(ids.join()))).slice(0, 16)}`
}

/** 5 s, 10 s, 20 s ... an hour. */
export const pauseAfter = (attempts: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_PAUSE_MS)

/**
 * Brings events to their channels, at least once each: what is not known to have been taken is sent again, under the same id.
 * One dispatcher works on a database at a time. What it does not finish is found by the next one.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #forgotAt = Number.NEGATIVE_INFINITY

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { logger, pollMs = POLL_MS, isLeader } = this.#options
    while (!this.#stop.signal.aborted) {
      let done = 0
      try {
        done = isLeader === undefined || (await isLeader()) ? await this.round() : 0
      } catch (error) {
        logger.error({ err: error }, 'notifications could not be read or written')
      }
      if (done === 0) await sleep(pollMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    }
  }

  /** Does what can be done now; how much that was. */
  async round(): Promise<number> {
    const { store, channels, clock } = this.#options
    const now = clock()
    const events = await store.notifications.undispatched(BATCH)
    if (events.length > 0) {
      await store.transaction(async (transaction) => {
        for (const event of events) {
          const wanted = channels.filter((channel) => isWanted(channel, event)).map(({ name }) => name)
          await transaction.notifications.dispatch(event.id, wanted, now)
        }
      })
    }
    const sent = await Promise.all(channels.map((channel) => this.#serve(channel, now)))
    const forgotten = Math.abs(now - this.#forgotAt) < FORGET_EVERY_MS ? 0 : await this.#forget(now)
    return sent.reduce((sum, count) => sum + count, events.length + forgotten)
  }

  async #forget(now: number): Promise<number> {
    const forgotten = await this.#options.store.notifications.forgetSent(now - KEEP_SENT_MS, BATCH)
    if (forgotten === 0) this.#forgotAt = now
    return forgotten
  }

  async #serve(channel: Channel, now: number): Promise<number> {
    const due = await this.#options.store.notifications.due(
      channel.name,
      { now, latest: now + LONGEST_PAUSE_MS },
      BATCH,
    )
    const [oldest] = due
    if (oldest === undefined) return 0
    if (channel.groupMs > 0) {
      for (const group of groupsOf(due)) await this.#deliver(channel, group)
      const fresh = due.filter(({ attempts }) => attempts === 0)
      // Either way: a clock that was put back must not hold back what happened before for as long.
      const isGathering = Math.abs(now - (fresh[0]?.event.at ?? now)) < channel.groupMs && due.length < BATCH
      if (!isGathering) await this.#deliver(channel, fresh)
      return isGathering ? due.length - fresh.length : due.length
    }
    for (let i = 0; i < due.length; i += CONCURRENT) {
      await Promise.all(due.slice(i, i + CONCURRENT).map((delivery) => this.#deliver(channel, [delivery])))
      if (this.#stop.signal.aborted) break
    }
    return due.length
  }

  async #deliver(channel: Channel, deliveries: readonly Delivery[]): Promise<void> {
    const [first] = deliveries
    if (first === undefined) return
    const { store, clock, logger } = this.#options
    const ids = deliveries.map(({ id }) => id)
    const attempts = first.attempts + 1
    const firstAttemptAt = first.firstAttemptAt ?? clock()
    try {
      await channel.send({ id: messageId(deliveries), events: deliveries.map(({ event }) => event) })
      const now = clock()
      const outcome = { attempts, firstAttemptAt, nextAttemptAt: now, error: null, sentAt: now } as const
      await store.notifications.settle(ids, { state: 'sent', ...outcome })
    } catch (error) {
      const now = clock()
      const nextAttemptAt = now + pauseAfter(attempts)
      const state = nextAttemptAt - firstAttemptAt > GIVE_UP_MS ? 'dead' : 'pending'
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR)
      await store.notifications.settle(ids, {
        state,
        attempts,
        firstAttemptAt,
        nextAttemptAt,
        error: reason,
        sentAt: null,
      })
      const what = { channel: channel.name, attempts, reason, events: ids.length }
      logger.warn(what, state === 'dead' ? 'a notification was given up' : 'a notification was not taken')
    }
  }
}
