import * as v from 'valibot'
import { COVERAGE_REASONS, type CoverageReason } from '../../../shared/decisions/coverage.ts'
import { productName } from '../../../shared/decisions/products.ts'
import { countCovered, sumOfCounts, type CoverageCount, type CoveredGroup } from '../../decisions/fleet-coverage.ts'
import type { Product } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Time, toTime } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { existingProduct } from './products.ts'
import { READERS } from './roles.ts'

const units = v.number()

export const coverageFields = {
  covered: units,
  notCovered: units,
  /** Most units first. */
  reasons: v.array(v.strictObject({ reason: v.picklist(COVERAGE_REASONS), units })),
}

export const coverageJson = ({ covered, notCovered, reasons }: CoverageCount) => ({
  covered,
  notCovered,
  reasons: (Object.entries(reasons) as [CoverageReason, number][])
    .map(([reason, count]) => ({ reason, units: count }))
    .sort((a, b) => b.units - a.units),
})

const PAGE = 200

async function productsOf(store: Store, productId: string | undefined): Promise<readonly Product[]> {
  if (productId !== undefined) return [await existingProduct(store, productId)]
  const all: Product[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['products']['list']>> = await store.products.list({ limit: PAGE, cursor })
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return all
}

/** The units of each product that somebody may see, in groups of those that are alike. */
export async function coveredFleet(
  { store, decisions, fleetCoverage, clock }: Pick<ApiServices, 'store' | 'decisions' | 'fleetCoverage' | 'clock'>,
  productId: string | undefined,
): Promise<readonly { readonly product: Product; readonly groups: readonly CoveredGroup[] }[]> {
  const register = await decisions.register()
  const found = []
  for (const product of await productsOf(store, productId)) {
    found.push({ product, groups: await fleetCoverage.of(store, register, product, clock()) })
  }
  return found
}

const coverage = defineEndpoint({
  method: 'GET',
  path: '/coverage',
  operationId: 'getFleetCoverage',
  summary: 'How many active devices a certificate covers, and why the others are not covered, by product',
  roles: READERS,
  scope: 'own',
  query: v.strictObject({ productId: v.optional(id('prd')) }),
  response: v.strictObject({
    asOf: Time,
    ...coverageFields,
    products: v.array(v.strictObject({ productId: id('prd'), product: v.string(), ...coverageFields })),
  }),
  run: async (services, { query }) => {
    const fleet = await coveredFleet(services, query.productId)
    const counted = fleet.map(({ product, groups }) => ({ product, count: countCovered(groups) }))
    return {
      asOf: toTime(services.clock()),
      ...coverageJson(sumOfCounts(counted.map(({ count }) => count))),
      products: counted.map(({ product, count }) => ({
        productId: product.id,
        product: productName(product),
        ...coverageJson(count),
      })),
    }
  },
})

export const coverageEndpoints: readonly Endpoint[] = [coverage]
