import * as v from 'valibot'
import type { FindingException } from '../../model/exception.ts'
import { endException, makeException } from '../../tracking/exceptions.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, pageOf, pageQuery, Reason, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { FindingCodes } from './finding-json.ts'
import { existingProduct } from './products.ts'
import { FLEET, READERS } from './roles.ts'

const Subject = v.pipe(v.string(), v.minLength(1), v.maxLength(512))

const fields = {
  productId: id('prd'),
  /** For one device, or for those of a group; with neither for all of the product. */
  deviceUeid: v.nullable(UeidText),
  groupId: v.nullable(id('grp')),
  code: FindingCodes,
  /** One `*` in it stands for anything. */
  subject: v.string(),
  reason: v.string(),
}
const ExceptionJson = v.strictObject({
  id: id('exc'),
  ...fields,
  createdBy: v.string(),
  createdAt: Time,
  expiresAt: Time,
  endedBy: v.nullable(v.string()),
  endedAt: v.nullable(Time),
  state: v.picklist(['active', 'expired', 'ended']),
})

function toJson(exception: FindingException, now: number): v.InferOutput<typeof ExceptionJson> {
  const { createdAt, expiresAt, endedAt } = exception
  return {
    ...exception,
    createdAt: toTime(createdAt),
    expiresAt: toTime(expiresAt),
    endedAt: toTimeOrNull(endedAt),
    state: endedAt !== null ? 'ended' : expiresAt <= now ? 'expired' : 'active',
  }
}

const create = defineEndpoint({
  method: 'POST',
  path: '/finding-exceptions',
  operationId: 'createFindingException',
  summary: 'Let findings of a code and subject not act for a while; they are shown and counted as suppressed',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    productId: fields.productId,
    deviceUeid: v.optional(fields.deviceUeid, null),
    groupId: v.optional(fields.groupId, null),
    code: FindingCodes,
    subject: Subject,
    reason: Reason,
    /** At most 180 days from now. */
    expiresAt: Time,
  }),
  status: 201,
  response: ExceptionJson,
  run: async ({ store, clock, random }, { body, actor }) => {
    await existingProduct(store, body.productId)
    const now = clock()
    const wanted = { ...body, expiresAt: Date.parse(body.expiresAt), createdBy: actor.id }
    return toJson(await makeException(store, wanted, now, random), now)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/finding-exceptions',
  operationId: 'listFindingExceptions',
  summary: 'List exceptions, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({
    ...pageQuery,
    productId: v.optional(id('prd')),
    /** `active`: those that act now. */
    state: v.optional(v.literal('active')),
  }),
  response: pageOf(ExceptionJson),
  run: async ({ store, clock }, { query }) => {
    const now = clock()
    const activeAt = query.state === undefined ? undefined : now
    const page = await store.findingExceptions.list(query, { productId: query.productId, activeAt })
    return { ...page, items: page.items.map((exception) => toJson(exception, now)) }
  },
})

const end = defineEndpoint({
  method: 'POST',
  path: '/finding-exceptions/:id/end',
  operationId: 'endFindingException',
  summary: 'End an exception before its time',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ id: id('exc') }),
  response: ExceptionJson,
  run: async ({ store, clock }, { params, actor }) => {
    const now = clock()
    return toJson(await endException(store, params.id, actor.id, now), now)
  },
})

export const findingExceptionEndpoints: readonly Endpoint[] = [create, list, end]
