import * as v from 'valibot'
import { text } from '../../../shared/posture/text.ts'
import { endStatement, stateForProduct } from '../../advisories/state.ts'
import { JUSTIFICATIONS, PRODUCT_VERDICTS } from '../../model/product-statement.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Reason, Time } from '../schemas.ts'
import { LabelMap } from './device-selector.ts'
import { existingProduct } from './products.ts'
import { FLEET, READERS } from './roles.ts'
import { StatementJson, statementJson } from './statement-json.ts'

const MOST = 1000

const state = defineEndpoint({
  method: 'POST',
  path: '/advisory-statements',
  operationId: 'stateAdvisory',
  summary: 'Say what an advisory means for devices of a product: that it does not matter there for a time, or VEX',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    productId: id('prd'),
    advisory: text(256),
    /** null: whatever package of it. */
    package: v.optional(v.nullable(text(256)), null),
    verdict: v.optional(v.picklist(PRODUCT_VERDICTS), 'excluded'),
    /** As of OpenVEX; of `not-affected` alone. */
    justification: v.optional(v.nullable(v.picklist(JUSTIFICATIONS)), null),
    /** For devices that are all of these; null: whichever they are. */
    releaseId: v.optional(v.nullable(id('rel')), null),
    configurationId: v.optional(v.nullable(id('cfg')), null),
    groupId: v.optional(v.nullable(id('grp')), null),
    labels: v.optional(v.nullable(LabelMap), null),
    reason: Reason,
    /** Within a year. */
    expiresAt: Time,
  }),
  status: 201,
  response: StatementJson,
  run: async ({ store, clock, random }, { body, actor }) => {
    await existingProduct(store, body.productId)
    const now = clock()
    const wanted = { ...body, expiresAt: Date.parse(body.expiresAt) }
    const by = { id: actor.id, name: actor.name }
    return statementJson(await stateForProduct(store, wanted, { by, now, random }), now)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/advisory-statements',
  operationId: 'listAdvisoryStatements',
  summary: 'List what was said of advisories for products, also what is over, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ productId: v.optional(id('prd')) }),
  response: v.strictObject({ items: v.array(StatementJson) }),
  run: async ({ store, clock }, { query }) => {
    const now = clock()
    const items = await store.productStatements.list(
      MOST,
      query.productId === undefined ? {} : { productId: query.productId },
    )
    return { items: items.map((one) => statementJson(one, now)) }
  },
})

const end = defineEndpoint({
  method: 'POST',
  path: '/advisory-statements/:id/end',
  operationId: 'endAdvisoryStatement',
  summary: 'Take back before its time what was said of an advisory',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ id: id('exc') }),
  response: StatementJson,
  run: async ({ store, clock }, { params, actor }) => {
    const now = clock()
    return statementJson(await endStatement(store, params.id, { id: actor.id, name: actor.name }, now), now)
  },
})

export const advisoryStatementEndpoints: readonly Endpoint[] = [state, list, end]
