import type { Delivery, DeliveryState, NotificationEvent, StoredEvent } from '../model/notification.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const eventColumns = [
  'notification_events.kind as kind',
  'notification_events.at as at',
  'notification_events.severity as severity',
  'notification_events.product_id as productId',
  'notification_events.ueid as ueid',
  'notification_events.code as code',
  'notification_events.subject as subject',
  'notification_events.body as text',
] as const

const deliveryColumns = [
  'notification_deliveries.id as id',
  'notification_deliveries.channel as channel',
  'notification_deliveries.event_id as eventId',
  'notification_deliveries.state as state',
  'notification_deliveries.attempts as attempts',
  'notification_deliveries.first_attempt_at as firstAttemptAt',
  'notification_deliveries.next_attempt_at as nextAttemptAt',
  'notification_deliveries.error as error',
  'notification_deliveries.sent_at as sentAt',
] as const

interface Row extends Omit<Delivery, 'event'>, NotificationEvent {
  readonly eventId: number
}

function toDelivery({ id, channel, eventId, ...row }: Row): Delivery {
  const { state, attempts, firstAttemptAt, nextAttemptAt, error, sentAt, ...event } = row
  return {
    id,
    channel,
    event: { id: eventId, ...event },
    state,
    attempts,
    firstAttemptAt,
    nextAttemptAt,
    error,
    sentAt,
  }
}

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined
  readonly channel?: string | undefined
}

/** In `is_dispatched`, beside 0 and 1: the event grows, and nobody is told of it yet. */
const GATHERED = 2

export type NotificationsRepository = ReturnType<typeof notificationsRepository>

/** The outbox of notifications. Events go in with what they tell of; deliveries say how far each has come. */
export function notificationsRepository(db: Executor) {
  const deliveries = () =>
    db
      .selectFrom('notification_deliveries')
      .innerJoin('notification_events', 'notification_events.id', 'notification_deliveries.event_id')
      .select([...deliveryColumns, ...eventColumns])

  return {
    async add(event: NotificationEvent): Promise<number> {
      const { kind, at, severity, productId, ueid, code, subject, text } = event
      const row = { kind, at, severity, product_id: productId, ueid, code, subject, body: text, is_dispatched: 0 }
      const { id } = await db.insertInto('notification_events').values(row).returning('id').executeTakeFirstOrThrow()
      return Number(id)
    },

    /**
     * Adds to an event that nobody is told of yet, or begins it: `count` more, and the words for as many as there are then.
     * It goes out with `release`, whoever calls that.
     */
    async gather(
      { kind, at, severity, productId, code }: Omit<NotificationEvent, 'subject' | 'text' | 'ueid'>,
      count: number,
      words: (total: number) => string,
    ): Promise<void> {
      const known = await db
        .selectFrom('notification_events')
        .select(['id', 'subject'])
        .where('is_dispatched', '=', GATHERED)
        .where('kind', '=', kind)
        .where('product_id', productId === null ? 'is' : '=', productId)
        .where('code', code === null ? 'is' : '=', code)
        .executeTakeFirst()
      const total = count + Number(known?.subject ?? 0)
      const told = { at, severity, subject: String(total), body: words(total) }
      if (known !== undefined) {
        await db.updateTable('notification_events').set(told).where('id', '=', known.id).execute()
        return
      }
      const row = { ...told, kind, product_id: productId, ueid: null, code, is_dispatched: GATHERED }
      await db.insertInto('notification_events').values(row).execute()
    },

    /** What was gathered, also by a collector that has ended since, is told now. */
    async release(): Promise<void> {
      await db
        .updateTable('notification_events')
        .set({ is_dispatched: 0 })
        .where('is_dispatched', '=', GATHERED)
        .execute()
    },

    /** Events whose deliveries do not exist yet, oldest first. */
    async undispatched(limit: number): Promise<readonly StoredEvent[]> {
      return db
        .selectFrom('notification_events')
        .select(['id', ...eventColumns])
        .where('is_dispatched', '=', 0)
        .orderBy('id')
        .limit(limit)
        .execute()
    },

    /** Sends an event on its way to these channels; twice changes nothing. */
    async dispatch(eventId: number, channels: readonly string[], now: number): Promise<void> {
      const rows = channels.map((channel) => ({
        channel,
        event_id: eventId,
        state: 'pending' as const,
        attempts: 0,
        first_attempt_at: null,
        next_attempt_at: now,
        error: null,
        sent_at: null,
      }))
      if (rows.length > 0) {
        await db
          .insertInto('notification_deliveries')
          .values(rows)
          .onConflict((conflict) => conflict.columns(['channel', 'event_id']).doNothing())
          .execute()
      }
      await db.updateTable('notification_events').set({ is_dispatched: 1 }).where('id', '=', eventId).execute()
    },

    /**
     * What may be tried now, in the order in which it happened. Nothing waits until after `latest`: that was written
     * before the clock was put back.
     */
    async due(
      channel: string,
      { now, latest }: { readonly now: number; readonly latest: number },
      limit: number,
    ): Promise<readonly Delivery[]> {
      const rows = await deliveries()
        .where('notification_deliveries.channel', '=', channel)
        .where('notification_deliveries.state', '=', 'pending')
        .where((or) =>
          or.or([
            or('notification_deliveries.next_attempt_at', '<=', now),
            or('notification_deliveries.next_attempt_at', '>', latest),
          ]),
        )
        .orderBy('notification_deliveries.id')
        .limit(limit)
        .execute()
      return rows.map(toDelivery)
    },

    async settle(
      ids: readonly number[],
      outcome: Pick<Delivery, 'state' | 'attempts' | 'firstAttemptAt' | 'nextAttemptAt' | 'error' | 'sentAt'>,
    ): Promise<void> {
      const { state, attempts, firstAttemptAt, nextAttemptAt, error, sentAt } = outcome
      await db
        .updateTable('notification_deliveries')
        .set({
          state,
          attempts,
          first_attempt_at: firstAttemptAt,
          next_attempt_at: nextAttemptAt,
          error,
          sent_at: sentAt,
        })
        .where('id', 'in', ids)
        .execute()
    },

    /** Those that were given up are tried again; how many. Without an id all of them. */
    async revive(now: number, id?: number): Promise<number> {
      let query = db
        .updateTable('notification_deliveries')
        .set({ state: 'pending', attempts: 0, first_attempt_at: null, next_attempt_at: now })
        .where('state', '=', 'dead')
      if (id !== undefined) query = query.where('id', '=', id)
      return Number((await query.executeTakeFirst()).numUpdatedRows)
    },

    /** Newest first. */
    async list(page: PageRequest, filter: DeliveryFilter = {}): Promise<Page<Delivery>> {
      const cursor = integerCursor(page)
      let query = deliveries().orderBy('notification_deliveries.id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('notification_deliveries.id', '<', cursor)
      if (filter.state !== undefined) query = query.where('notification_deliveries.state', '=', filter.state)
      if (filter.channel !== undefined) query = query.where('notification_deliveries.channel', '=', filter.channel)
      return toPage(await query.execute(), page, ({ id }) => id, toDelivery)
    },

    async byEvent(eventId: number): Promise<readonly Delivery[]> {
      const rows = await deliveries().where('notification_deliveries.event_id', '=', eventId).execute()
      return rows.map(toDelivery)
    },

    /** Forgets what was sent before `at`, and events from before that nobody waits for, at most `limit` of each; how many. */
    async forgetSent(at: number, limit: number): Promise<number> {
      const old = await db
        .selectFrom('notification_deliveries')
        .select('id')
        .where('state', '=', 'sent')
        .where('sent_at', '<', at)
        .orderBy('id')
        .limit(limit)
        .execute()
      const ids = old.map(({ id }) => id)
      if (ids.length > 0) await db.deleteFrom('notification_deliveries').where('id', 'in', ids).execute()
      const told = db
        .selectFrom('notification_events')
        .select('id')
        .where('is_dispatched', '=', 1)
        .where('at', '<', at)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('notification_deliveries')
                .select('notification_deliveries.id')
                .whereRef('notification_deliveries.event_id', '=', 'notification_events.id'),
            ),
          ),
        )
        .orderBy('id')
        .limit(limit)
      const { numDeletedRows } = await db
        .deleteFrom('notification_events')
        .where('id', 'in', told)
        .executeTakeFirstOrThrow()
      return ids.length + Number(numDeletedRows)
    },
  }
}
