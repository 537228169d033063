import type { Certificate } from '../../shared/decisions/certificate.ts'
import { vendorOf } from '../../shared/decisions/products.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Store } from '../store/index.ts'
import { countCovered, type CoverageCount, type FleetCoverage } from './fleet-coverage.ts'

export interface CertifiedCoverage extends CoverageCount {
  /** VENDOR/MODEL, as the certificate has it. */
  readonly product: string
  /** null: no such product is registered here. */
  readonly productId: string | null
}

/** Of each product of a certificate the active units: covered by it, by another one, or not. */
export async function coverageByProduct(
  store: Pick<Store, 'products' | 'reporting' | 'releases'>,
  fleet: FleetCoverage,
  register: Register,
  { products }: Pick<Certificate, 'products'>,
  now: number,
): Promise<readonly CertifiedCoverage[]> {
  const all: CertifiedCoverage[] = []
  for (const { product } of products) {
    const vendor = vendorOf(product)
    const found = await store.products.byVendorModel(vendor, product.slice(vendor.length + 1))
    const groups = found === undefined ? [] : await fleet.of(store, register, found, now)
    all.push({ product, productId: found?.id ?? null, ...countCovered(groups) })
  }
  return all
}
