import { sha256 } from '../../shared/crypto/node.ts'
import type { Sbom, SbomComponent } from '../../shared/sbom/component.ts'
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

/**
 * What no package manager of a device knows. A component without a version stays: no advisory about it can be ruled out,
 * and it is shown as one that cannot be compared.
 */
const componentsOf = (components: readonly SbomComponent[]): readonly InventoryPackage[] =>
  components
    .filter(({ isManaged }) => !isManaged)
    .map(({ name, version, ecosystem }) => ({
      name,
      version: version ?? '',
      architecture: null,
      source: name,
      sourceVersion: version ?? '',
      ecosystem: { name: ecosystem, release: '' },
    }))

/** The inventory of a release, and the digests by which equal ones are kept once. */
export function inventoryOfRelease(release: {
  readonly name: string
  readonly vendor: string
  readonly model: string
  readonly sbom: Sbom | null
}): { readonly inventory: Inventory; readonly digests: readonly [Uint8Array, Uint8Array] } {
  const inventory = releaseInventory(release, release.name, componentsOf(release.sbom?.components ?? []))
  const content = new TextEncoder().encode(JSON.stringify(inventory.packages))
  return { inventory, digests: [sha256(content), new Uint8Array(0)] }
}
