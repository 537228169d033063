import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import { conditionText, PostureConditions } from '../../../shared/advisories/posture-condition.ts'
import type { ProductConfiguration } from '../../model/product-statement.ts'
import { makeId } from '../../store/ids.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Name, Time, toTime } from '../schemas.ts'
import { existingProduct, ProductParams } from './products.ts'
import { FLEET, READERS } from './roles.ts'

/** Of one product: every posture is looked at for each. */
const MOST = 32

const ConfigurationJson = v.strictObject({
  id: id('cfg'),
  productId: id('prd'),
  name: Name,
  conditions: PostureConditions,
  /** The same, as the command line takes them. */
  texts: v.array(v.string()),
  createdAt: Time,
  createdBy: v.string(),
})

const toJson = (one: ProductConfiguration): v.InferOutput<typeof ConfigurationJson> => ({
  id: one.id,
  productId: one.productId,
  name: one.name,
  conditions: [...one.conditions],
  texts: one.conditions.map(conditionText),
  createdAt: toTime(one.createdAt),
  createdBy: one.createdByName,
})

const declare = defineEndpoint({
  method: 'POST',
  path: '/products/:id/configurations',
  operationId: 'declareConfiguration',
  summary: 'Name the devices of a product whose posture says all of some things',
  roles: FLEET,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({
    name: v.pipe(Name, v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a word of at most 64 letters, digits and . _ -')),
    conditions: PostureConditions,
  }),
  status: 201,
  response: ConfigurationJson,
  run: async ({ store, clock, random }, { params, body, actor }) => {
    const product = await existingProduct(store, params.id)
    const now = clock()
    const made: ProductConfiguration = {
      ...body,
      id: makeId('cfg', now, random),
      productId: product.id,
      createdAt: now,
      createdBy: actor.id,
      createdByName: actor.name,
    }
    await store.transaction(async (transaction) => {
      const all = await transaction.productConfigurations.ofProduct(product.id)
      if (all.some(({ name }) => name === body.name)) {
        throw new KeepsealError('request.conflict', `the product has a configuration ${body.name}`, {
          remedy: 'A configuration never changes: give the new one another name.',
        })
      }
      if (all.length >= MOST) {
        throw new KeepsealError('request.conflict', `the product has ${MOST} configurations`, {
          remedy: 'Remove one: keepseal advisory configuration remove PRODUCT NAME',
        })
      }
      await transaction.productConfigurations.add(made)
      const detail = { configuration: made.id, name: made.name, conditions: made.conditions.map(conditionText) }
      const about = { action: 'configuration.declare', subject: product.id, detail }
      await transaction.auditLog.append({ at: now, actor: actor.id, ...about })
    })
    return toJson(made)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/products/:id/configurations',
  operationId: 'listConfigurations',
  summary: 'The configurations of a product, and how many of its devices are in each now',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: v.strictObject({
    /** Active ones of the product. */
    devices: v.number(),
    items: v.array(
      v.strictObject({
        ...ConfigurationJson.entries,
        /** Those whose newest posture says all of it. The others do not, or nobody can tell. */
        devices: v.number(),
      }),
    ),
  }),
  run: async ({ store }, { params }) => {
    const product = await existingProduct(store, params.id)
    const all = await store.productConfigurations.ofProduct(product.id)
    const met = await store.productConfigurations.metBy(all.map((one) => one.id))
    const groups = all.length === 0 ? [] : await store.exposedDevices.groups(product.id)
    const within = (configuration: string): number =>
      groups.reduce(
        (sum, { posture, count }) => sum + (met.get(posture)?.met.has(configuration) === true ? count : 0),
        0,
      )
    return {
      devices: await store.exposedDevices.count(product.id),
      items: all.map((one) => ({ ...toJson(one), devices: within(one.id) })),
    }
  },
})

const remove = defineEndpoint({
  method: 'POST',
  path: '/product-configurations/:id/remove',
  operationId: 'removeConfiguration',
  summary: 'Forget a configuration for which nothing was ever said',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ id: id('cfg') }),
  response: ConfigurationJson,
  run: async ({ store, clock }, { params, actor }) =>
    store.transaction(async (transaction) => {
      const one = await transaction.productConfigurations.byId(params.id)
      if (one === undefined) throw new KeepsealError('request.not-found', `configuration ${params.id}`)
      if (await transaction.productConfigurations.isNamed(one.id)) {
        throw new KeepsealError('request.conflict', 'a statement about an advisory was made for it', {
          remedy: 'It stays, since it says what was covered: keepseal advisory statements --all',
        })
      }
      await transaction.productConfigurations.remove(one.id)
      const detail = { configuration: one.id, name: one.name }
      const about = { action: 'configuration.remove', subject: one.productId, detail }
      await transaction.auditLog.append({ at: clock(), actor: actor.id, ...about })
      return toJson(one)
    }),
})

export const productConfigurationEndpoints: readonly Endpoint[] = [declare, list, remove]
