import type { Product } from '../model/product.ts'
import type { Store } from '../store/index.ts'
import { Rulings } from './rulings.ts'
import { claimsOf, encode } from './vex-claims.ts'
import { vulnerabilitiesOf } from './view.ts'

/** OpenVEX 0.2.0: what the vendor can tell his customers of what his devices report, and of what he has said himself. */
export async function openVexOf(
  store: Store,
  product: Product,
  { now, publicUrl }: { readonly now: number; readonly publicUrl: string },
) {
  const said = new Rulings(await store.productStatements.inForce(now, product.id), now)
  const { items } = await vulnerabilitiesOf(store, product.id, now)
  const timestamp = new Date(now).toISOString()
  const statements = claimsOf(product, items, said.all).map(({ product: id, advisory, status, text, packages }) => {
    const subcomponents = [...packages].sort().map((name) => ({ '@id': `pkg:generic/${encode(name)}` }))
    return {
      vulnerability: { name: advisory },
      timestamp,
      products: [{ '@id': id, ...(subcomponents.length > 0 && { subcomponents }) }],
      status,
      ...text,
    }
  })
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `${publicUrl}/api/v1/products/${product.id}/vex/${now}`,
    author: product.vendor,
    timestamp,
    version: 1,
    statements,
  }
}
