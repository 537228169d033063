import { KeepsealError } from '../../../shared/errors.ts'
import * as v from 'valibot'
import type { ApiClient } from './api.ts'

export const Product = v.looseObject({
  id: v.string(),
  vendor: v.string(),
  model: v.string(),
  identityPolicy: v.string(),
  approvalPolicy: v.string(),
})

const MAX_PRODUCTS = 10_000

/** The id of the product that a person means: by its id, its model, or VENDOR/MODEL. Error: request.not-found. */
export async function productIdOf(client: ApiClient, reference: string): Promise<string> {
  if (/^prd_[0-9a-f-]+$/.test(reference)) return reference
  const { items } = await client.list('/products', {}, Product, MAX_PRODUCTS)
  const matches = items.filter(({ vendor, model }) => reference === model || reference === `${vendor}/${model}`)
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match.id
  const reason = match === undefined ? `product ${reference}` : `${matches.length} products have the model ${reference}`
  throw new KeepsealError('request.not-found', reason, { remedy: 'keepseal product list' })
}
