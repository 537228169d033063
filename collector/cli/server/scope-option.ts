import { text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { VendorScope } from '../../model/scope.ts'
import type { Store } from '../../store/index.ts'

export const scopeOptions = {
  vendor: { description: 'Vendor to be bound to: nothing of any other is found', value: text(128) },
  product: {
    description: 'Product of that vendor to be bound to, and no other',
    value: text(64),
    placeholder: 'ID',
    multiple: true,
  },
} as const

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
