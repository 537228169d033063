import type { VendorScope } from '../../model/scope.ts'

/** How a scope stands in the row of whoever is bound by it. */
export interface ScopeColumns {
  vendor: string | null
  /** JSON array of ids. */
  products: string | null
}

export const scopeColumns = (scope: VendorScope | null): ScopeColumns => ({
  vendor: scope?.vendor ?? null,
  products: scope === null || scope.products === null ? null : JSON.stringify(scope.products),
})

export const toScope = ({ vendor, products }: ScopeColumns): VendorScope | null =>
  vendor === null ? null : { vendor, products: products === null ? null : (JSON.parse(products) as string[]) }
