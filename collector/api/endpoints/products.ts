import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Product } from '../../model/product.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import type { ApiServices } from '../services.ts'
import { id, Name, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

/** Which identities its devices may enrol with; each further one is weaker. */
const IdentityPolicy = v.picklist(['endorsed', 'tofu', 'software'])
const ApprovalPolicy = v.picklist(['automatic', 'manual'])

const ProductJson = v.strictObject({
  id: id('prd'),
  vendor: Name,
  model: Name,
  identityPolicy: IdentityPolicy,
  approvalPolicy: ApprovalPolicy,
  /** A certificate is in force for it, whose certifier countersigns its releases. */
  isCertified: v.boolean(),
  createdAt: Time,
})

/** Decided in the log, and nowhere else. */
const toJson = async ({ decisions, clock }: ApiServices, product: Product) => ({
  ...product,
  isCertified: (await decisions.certificatesCovering(product.id, clock())).length > 0,
  createdAt: toTime(product.createdAt),
})

export const ProductParams = v.strictObject({ id: id('prd') })

/** Error: request.not-found. */
export async function existingProduct(store: Store, productId: string): Promise<Product> {
  const product = await store.products.byId(productId)
  if (product === undefined) throw new KeepsealError('request.not-found', `product ${productId}`)
  return product
}

const create = defineEndpoint({
  method: 'POST',
  path: '/products',
  operationId: 'createProduct',
  summary: 'Register a product, whose devices can then enrol',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    vendor: Name,
    model: Name,
    identityPolicy: v.optional(IdentityPolicy, 'endorsed'),
    approvalPolicy: v.optional(ApprovalPolicy, 'manual'),
  }),
  status: 201,
  response: ProductJson,
  run: async (services, { body, actor }) => {
    const { store, clock, random } = services
    const now = clock()
    const product: Product = { id: makeId('prd', now, random), ...body, createdAt: now }
    await store.transaction(async (transaction) => {
      await transaction.products.create(product)
      const entry = { at: now, actor: actor.id, action: 'product.create', subject: product.id, detail: { ...body } }
      await transaction.auditLog.append(entry)
    })
    return toJson(services, product)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/products',
  operationId: 'listProducts',
  summary: 'List products, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject(pageQuery),
  response: pageOf(ProductJson),
  run: async (services, { query }) => {
    const page = await services.store.products.list(query)
    return { ...page, items: await Promise.all(page.items.map((product) => toJson(services, product))) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/products/:id',
  operationId: 'getProduct',
  summary: 'One product',
  roles: READERS,
  scope: 'own',
  params: ProductParams,
  response: ProductJson,
  run: async (services, { params }) => toJson(services, await existingProduct(services.store, params.id)),
})

export const productEndpoints: readonly Endpoint[] = [create, list, show]
