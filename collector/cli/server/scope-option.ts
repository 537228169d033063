import { KeepsealError } from '../../../shared/errors.ts'
import type { VendorScope } from '../../model/scope.ts'
import type { Store } from '../../store/index.ts'

/** What `--vendor` and `--product` bind to; a product has to be there, for a misspelt one would bind to nothing. */
export async function scopeOf(
  store: Store,
  vendor: string | undefined,
  products: readonly string[],
): Promise<VendorScope | null> {
  if (vendor === undefined) {
    if (products.length === 0) return null
    throw new KeepsealError('usage.invalid', '--product goes with --vendor')
  }
  // An empty variable of a script must not make a token for all vendors.
  if (vendor.trim() === '') throw new KeepsealError('usage.invalid', '--vendor is empty')
  const own = store.within({ vendor, products: null })
  for (const id of products) {
    if ((await own.products.byId(id)) === undefined) {
      throw new KeepsealError('request.not-found', `product ${id} of ${vendor}`, { remedy: 'keepseal product list' })
    }
  }
  return { vendor, products: products.length === 0 ? null : products }
}
