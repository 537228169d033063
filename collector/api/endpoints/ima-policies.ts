import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import { ImaPolicyDocument, MAX_IMA_POLICY_BYTES } from '../../model/ima-policy.ts'
import { compileImaPolicy } from '../../trust/ima/policy.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Time, toTime } from '../schemas.ts'
import { existingProduct, ProductParams } from './products.ts'
import { FLEET, READERS } from './roles.ts'

const about = {
  productId: id('prd'),
  /** Grows with each change. Devices are judged by the newest one, from their next measurement on. */
  version: v.number(),
  createdAt: Time,
  createdBy: v.string(),
}

const show = defineEndpoint({
  method: 'GET',
  path: '/products/:id/ima-policy',
  operationId: 'getImaPolicy',
  summary: 'What the files that devices of a product measure may be',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({ ...about, policy: ImaPolicyDocument }),
  run: async ({ store }, { params }) => {
    const { id: productId } = await existingProduct(store, params.id)
    const stored = await store.imaPolicies.newest(productId)
    if (stored === undefined) throw new KeepsealError('request.not-found', `IMA policy of ${productId}`)
    const { version, createdAt, createdBy, policy } = stored
    const document = v.parse(ImaPolicyDocument, JSON.parse(policy))
    return { productId, version, createdAt: toTime(createdAt), createdBy, policy: document }
  },
})

const set = defineEndpoint({
  method: 'PUT',
  path: '/products/:id/ima-policy',
  operationId: 'setImaPolicy',
  summary: 'Say what the files that devices of a product measure may be',
  roles: FLEET,
  scope: 'own',
  params: ProductParams,
  body: ImaPolicyDocument,
  bodyBytes: MAX_IMA_POLICY_BYTES,
  response: v.strictObject(about),
  run: async ({ store, clock }, { params, body, actor }) => {
    const { id: productId } = await existingProduct(store, params.id)
    compileImaPolicy(body) // refuses keys that could not be used
    const now = clock()
    const version = await store.transaction(async (transaction) => {
      const policy = { productId, policy: JSON.stringify(body), createdAt: now, createdBy: actor.id }
      const added = await transaction.imaPolicies.add(policy)
      const { excludes } = body
      const counts = { paths: Object.keys(body.allow).length, signers: body.signers.map(({ keyId }) => keyId) }
      await transaction.auditLog.append({
        at: now,
        actor: actor.id,
        action: 'product.ima-policy',
        subject: productId,
        detail: { version: added, ...counts, excludes },
      })
      return added
    })
    return { productId, version, createdAt: toTime(now), createdBy: actor.id }
  },
})

export const imaPolicyEndpoints: readonly Endpoint[] = [show, set]
