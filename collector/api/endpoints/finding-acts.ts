import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { acknowledgeFinding, endAcknowledgement, existingFinding } from '../../tracking/finding-decisions.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, pageOf, pageQuery, Reason, Time, toTime } from '../schemas.ts'
import { FindingJson, findingJson, FindingStates, viewOf } from './finding-json.ts'
import { FLEET, READERS } from './roles.ts'

const Params = v.strictObject({ id: id('fnd') })

const show = defineEndpoint({
  method: 'GET',
  path: '/findings/:id',
  operationId: 'getFinding',
  summary: 'One finding',
  roles: READERS,
  scope: 'own',
  params: Params,
  response: FindingJson,
  run: async ({ store, clock }, { params }) => {
    const { finding, ...device } = await existingFinding(store, params.id)
    const now = clock()
    return findingJson(finding, device, await viewOf(store, [finding.id], now))
  },
})

const transitions = defineEndpoint({
  method: 'GET',
  path: '/findings/:id/transitions',
  operationId: 'listFindingTransitions',
  summary: 'The life of a finding, newest step first',
  roles: READERS,
  scope: 'own',
  params: Params,
  query: v.strictObject(pageQuery),
  response: pageOf(
    v.strictObject({
      at: Time,
      state: FindingStates,
      /** `late-evidence`: it was over already when it was heard of. */
      cause: v.picklist(['evidence', 'deadline', 'late-evidence', 'release', 'approval', 'acknowledgement']),
      /** Id of the API token of whoever did it; null where nobody did. */
      actor: v.nullable(v.string()),
      before: v.nullable(v.string()),
      after: v.nullable(v.string()),
      evidenceHash: v.nullable(Digest),
    }),
  ),
  run: async ({ store }, { params, query }) => {
    await existingFinding(store, params.id)
    const page = await store.findingTransitions.list(params.id, query)
    const items = page.items.map((each) => ({
      ...each,
      at: toTime(each.at),
      evidenceHash: each.evidenceHash === null ? null : toHex(each.evidenceHash),
    }))
    return { ...page, items }
  },
})

const acknowledge = defineEndpoint({
  method: 'POST',
  path: '/findings/:id/acknowledge',
  operationId: 'acknowledgeFinding',
  summary: 'Say that a finding is known, and why it may wait, for a time',
  roles: FLEET,
  scope: 'own',
  params: Params,
  /** At most 180 days from now. */
  body: v.strictObject({ until: Time, reason: Reason }),
  response: FindingJson,
  run: async ({ store, clock }, { params, body, actor }) => {
    const now = clock()
    const acknowledgement = { by: actor.id, at: now, until: Date.parse(body.until), reason: body.reason }
    const { finding, ...device } = await acknowledgeFinding(store, params.id, acknowledgement)
    return findingJson(finding, device, await viewOf(store, [finding.id], now))
  },
})

const unacknowledge = defineEndpoint({
  method: 'POST',
  path: '/findings/:id/unacknowledge',
  operationId: 'unacknowledgeFinding',
  summary: 'Take an acknowledgement back before its time',
  roles: FLEET,
  scope: 'own',
  params: Params,
  response: FindingJson,
  run: async ({ store, clock }, { params, actor }) => {
    const now = clock()
    const { finding, ...device } = await endAcknowledgement(store, params.id, actor.id, now)
    return findingJson(finding, device, await viewOf(store, [finding.id], now))
  },
})

export const findingActEndpoints: readonly Endpoint[] = [show, transitions, acknowledge, unacknowledge]
