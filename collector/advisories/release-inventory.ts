import type { Inventory, InventoryPackage } from '../model/advisory.ts'
import type { Product } from '../model/product.ts'

/**
 * What a release is for advisories, beside the packages that its devices report: the product itself in that version, as
 * advisories of its vendor name it, and the components that no package manager knows.
 */
export function releaseInventory(
  { vendor, model }: Pick<Product, 'vendor' | 'model'>,
  release: string,
  components: readonly InventoryPackage[],
): Inventory {
  const product: InventoryPackage = {
    name: model,
    version: release,
    architecture: null,
    source: model,
    sourceVersion: release,
    ecosystem: { name: vendor, release: '' },
  }
  return { manager: 'none', ecosystem: null, runningKernel: null, isWhole: true, packages: [product, ...components] }
}
