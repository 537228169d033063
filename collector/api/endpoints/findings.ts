import * as v from 'valibot'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, pageOf, pageQuery, UeidText } from '../schemas.ts'
import { FindingCodes, FindingJson, findingJson, FindingStates, viewOf } from './finding-json.ts'
import { READERS } from './roles.ts'

const list = defineEndpoint({
  method: 'GET',
  path: '/findings',
  operationId: 'listFindings',
  summary: 'List findings, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({
    ...pageQuery,
    /** `unresolved`: open, or recovered and waiting for a person. */
    state: v.optional(v.union([FindingStates, v.literal('unresolved')])),
    deviceUeid: v.optional(UeidText),
    productId: v.optional(id('prd')),
    code: v.optional(FindingCodes),
    caseId: v.optional(id('cas')),
  }),
  response: pageOf(FindingJson),
  run: async ({ store, clock }, { query }) => {
    const state = query.state === 'unresolved' ? (['open', 'recovered'] as const) : query.state
    const page = await store.findings.list(query, { ...query, state })
    const view = await viewOf(
      store,
      page.items.map(({ finding }) => finding.id),
      clock(),
    )
    return { ...page, items: page.items.map(({ finding, ...device }) => findingJson(finding, device, view)) }
  },
})

export const findingEndpoints: readonly Endpoint[] = [list]
