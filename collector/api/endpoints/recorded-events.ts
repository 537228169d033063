import * as v from 'valibot'
import { RECORDED_EVENT_KINDS } from '../../../shared/maturity/events/kinds.ts'
import { text } from '../../../shared/posture/text.ts'
import type { RecordedEvent } from '../../model/recorded-event.ts'
import { recordEvent } from '../../tracking/practices/record.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { existingProduct } from './products.ts'
import { CERTIFIER, FLEET, READERS } from './roles.ts'

const Kinds = v.picklist(RECORDED_EVENT_KINDS)

const EventJson = v.strictObject({
  id: id('evt'),
  productId: id('prd'),
  kind: Kinds,
  /** As its kind has it: docs/signals.md. */
  detail: v.record(v.string(), v.unknown()),
  occurredAt: Time,
  recordedAt: Time,
  recordedBy: v.string(),
  reference: v.string(),
  /** The event in whose place it stands, and the one that stands in its place. */
  corrects: v.nullable(id('evt')),
  correctedBy: v.nullable(id('evt')),
})

const toJson = (event: RecordedEvent, correctedBy: string | null) => ({
  id: event.id,
  productId: event.productId,
  kind: event.kind,
  detail: { ...event.detail },
  occurredAt: toTime(event.occurredAt),
  recordedAt: toTime(event.recordedAt),
  recordedBy: event.recordedByName,
  reference: event.reference,
  corrects: event.corrects,
  correctedBy,
})

const record = defineEndpoint({
  method: 'POST',
  path: '/events',
  operationId: 'recordEvent',
  summary: 'Record something that happened and that no device tells of',
  roles: [...FLEET, ...CERTIFIER],
  scope: 'own',
  body: v.strictObject({
    productId: id('prd'),
    kind: Kinds,
    detail: v.optional(v.record(v.string(), v.unknown()), {}),
    /** Now, where it is left out. */
    occurredAt: v.optional(Time),
    reference: v.optional(text(512), ''),
    corrects: v.optional(v.nullable(id('evt')), null),
  }),
  status: 201,
  response: EventJson,
  run: async ({ store, clock, random }, { body, actor }) => {
    const now = clock()
    await existingProduct(store, body.productId)
    const occurredAt = body.occurredAt === undefined ? now : Date.parse(body.occurredAt)
    return toJson(await recordEvent(store, { ...body, occurredAt }, actor, { now, random }), null)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/events',
  operationId: 'listEvents',
  summary: 'List recorded events, newest recorded first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ ...pageQuery, productId: v.optional(id('prd')), kind: v.optional(Kinds) }),
  response: pageOf(EventJson),
  run: async ({ store }, { query }) => {
    const page = await store.recordedEvents.list(query, query)
    return { ...page, items: page.items.map(({ event, correctedBy }) => toJson(event, correctedBy)) }
  },
})

export const recordedEventEndpoints: readonly Endpoint[] = [record, list]
