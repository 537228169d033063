import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Delivery } from '../../model/notification.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { pageOf, pageQuery, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

const States = v.picklist(['pending', 'sent', 'dead'])

const DeliveryJson = v.strictObject({
  id: v.number(),
  channel: v.string(),
  state: States,
  attempts: v.number(),
  nextAttemptAt: Time,
  sentAt: v.nullable(Time),
  /** What the last attempt ended with. */
  error: v.nullable(v.string()),
  event: v.strictObject({
    number: v.number(),
    kind: v.string(),
    at: Time,
    severity: v.string(),
    code: v.nullable(v.string()),
    subject: v.string(),
    ueid: v.nullable(v.string()),
    text: v.string(),
  }),
})

function toJson({ id, channel, state, attempts, nextAttemptAt, sentAt, error, event }: Delivery) {
  const { kind, severity, code, subject, ueid, text } = event
  return {
    id,
    channel,
    state,
    attempts,
    nextAttemptAt: toTime(nextAttemptAt),
    sentAt: toTimeOrNull(sentAt),
    error,
    event: { number: event.id, kind, at: toTime(event.at), severity, code, subject, ueid, text },
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/notifications',
  operationId: 'listNotifications',
  summary: 'List notifications with how far each has come, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ ...pageQuery, state: v.optional(States), channel: v.optional(v.string()) }),
  response: pageOf(DeliveryJson),
  run: async ({ store }, { query }) => {
    const page = await store.notifications.list(query, query)
    return { ...page, items: page.items.map(toJson) }
  },
})

const retry = defineEndpoint({
  method: 'POST',
  path: '/notifications/retry',
  operationId: 'retryNotifications',
  summary: 'Try again those that were given up, or one of them',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({ id: v.optional(v.pipe(v.number(), v.safeInteger())) }),
  response: v.strictObject({ revived: v.number() }),
  run: async ({ store, clock }, { body, actor }) => {
    const now = clock()
    const revived = await store.notifications.revive(now, body.id)
    if (body.id !== undefined && revived === 0) {
      throw new KeepsealError('request.not-found', `no notification ${body.id} was given up`)
    }
    const detail = { revived }
    await store.auditLog.append({ at: now, actor: actor.id, action: 'notification.retry', subject: '', detail })
    return { revived }
  },
})

const test = defineEndpoint({
  method: 'POST',
  path: '/notifications/test',
  operationId: 'testNotification',
  summary: 'Send a test to one channel, as any other notification',
  roles: FLEET,
  scope: 'unbound',
  body: v.strictObject({ channel: v.picklist(['webhook', 'mail', 'syslog']) }),
  status: 201,
  response: v.strictObject({ eventNumber: v.number() }),
  run: async ({ store, clock }, { body: { channel } }) => {
    const text = 'a test of this way to be told'
    const about = { productId: null, ueid: null, code: null, subject: channel, text }
    return { eventNumber: await store.notifications.add({ kind: 'test', at: clock(), severity: 'low', ...about }) }
  },
})

const byEvent = defineEndpoint({
  method: 'GET',
  path: '/notifications/events/:number',
  operationId: 'getNotificationEvent',
  summary: 'How far one event has come',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ number: v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number)) }),
  response: v.strictObject({ items: v.array(DeliveryJson) }),
  run: async ({ store }, { params }) => ({
    items: (await store.notifications.byEvent(params.number)).map(toJson),
  }),
})

export const notificationEndpoints: readonly Endpoint[] = [list, retry, test, byEvent]
