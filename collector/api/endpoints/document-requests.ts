import * as v from 'valibot'
import { standingOfRequest, type DocumentRequest } from '../../../shared/decisions/documents/request.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Time, toTime } from '../schemas.ts'
import { READERS } from './roles.ts'

const RequestJson = v.strictObject({
  id: v.string(),
  kind: v.string(),
  practice: v.string(),
  products: v.array(v.string()),
  from: v.union([v.strictObject({ person: v.string() }), v.strictObject({ capacity: v.string() })]),
  /** The first moment at which it is overdue. */
  until: Time,
  reason: v.string(),
  askedBy: v.string(),
  askedAt: Time,
  standing: v.string(),
  fulfilled: v.nullable(v.strictObject({ by: v.string(), at: Time, late: v.boolean() })),
  withdrawn: v.nullable(v.strictObject({ by: v.string(), at: Time, reason: v.string() })),
})

const time = (seconds: number): string => toTime(seconds * 1000)

function requestJson(request: DocumentRequest, register: Register, now: number): v.InferOutput<typeof RequestJson> {
  const { until, askedAt, fulfilled, withdrawn, products } = request
  return {
    ...request,
    products: [...products],
    until: time(until),
    askedAt: time(askedAt),
    standing: standingOfRequest(request, register, Math.floor(now / 1000)),
    fulfilled: fulfilled && { by: fulfilled.by, at: time(fulfilled.at), late: fulfilled.at >= until },
    withdrawn: withdrawn && { ...withdrawn, at: time(withdrawn.at) },
  }
}

const list = defineEndpoint({
  method: 'GET',
  path: '/document-requests',
  operationId: 'listDocumentRequests',
  summary: 'Documents that somebody was asked for, with whether they are owed now; what is due first comes first',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(RequestJson) }),
  run: async ({ decisions, clock }) => {
    const register = await decisions.register()
    const requests = [...register.documentRequests.values()].sort((one, other) => one.until - other.until)
    return { items: requests.map((each) => requestJson(each, register, clock())) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/document-requests/:id',
  operationId: 'getDocumentRequest',
  summary: 'One document that somebody was asked for',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  response: RequestJson,
  run: async ({ decisions, clock }, { params: { id } }) => {
    const register = await decisions.register()
    const request = register.documentRequests.get(id)
    if (request === undefined) throw new KeepsealError('request.not-found', `request ${id}`)
    return requestJson(request, register, clock())
  },
})

export const documentRequestEndpoints: readonly Endpoint[] = [list, show]
