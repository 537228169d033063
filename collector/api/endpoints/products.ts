import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Product } from '../../model/product.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Name, pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { CERTIFIER, FLEET, READERS } from './roles.ts'

/** Which identities its devices may enrol with; each further one is weaker. */
const IdentityPolicy = v.picklist(['endorsed', 'tofu', 'software'])
const ApprovalPolicy = v.picklist(['automatic', 'manual'])

const ProductJson = v.strictObject({
  id: id('prd'),
  vendor: Name,
  model: Name,
  identityPolicy: IdentityPolicy,
  approvalPolicy: ApprovalPolicy,
  /** Releases of it need the countersignature of the certifier. */
  isCertified: v.boolean(),
  createdAt: Time,
})

const toJson = (product: Product) => ({ ...product, createdAt: toTime(product.createdAt) })

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
  run: async ({ store, clock, random }, { body, actor }) => {
    const now = clock()
    const product: Product = { id: makeId('prd', now, random), ...body, isCertified: false, createdAt: now }
    await store.transaction(async (transaction) => {
      await transaction.products.create(product)
      const entry = { at: now, actor: actor.id, action: 'product.create', subject: product.id, detail: { ...body } }
      await transaction.auditLog.append(entry)
    })
    return toJson(product)
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
  run: async ({ store }, { query }) => {
    const page = await store.products.list(query)
    return { ...page, items: page.items.map(toJson) }
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
  run: async ({ store }, { params }) => toJson(await existingProduct(store, params.id)),
})

const certified = defineEndpoint({
  method: 'PUT',
  path: '/products/:id/certified',
  operationId: 'setProductCertified',
  summary: 'Say whether releases of a product need the countersignature of the certifier',
  roles: CERTIFIER,
  scope: 'own',
  params: ProductParams,
  body: v.strictObject({ isCertified: v.boolean() }),
  response: ProductJson,
  run: async ({ store, clock }, { params, body: { isCertified }, actor }) => {
    const product = await existingProduct(store, params.id)
    await store.transaction(async (transaction) => {
      await transaction.products.setCertified(product.id, isCertified)
      const entry = { at: clock(), actor: actor.id, action: 'product.certified', subject: product.id }
      await transaction.auditLog.append({ ...entry, detail: { isCertified } })
    })
    return toJson({ ...product, isCertified })
  },
})

export const productEndpoints: readonly Endpoint[] = [create, list, show, certified]
