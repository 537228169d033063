import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { memberOf } from '../../../shared/decisions/products.ts'
import type { Product } from '../../model/product.ts'
import type { LineMembers } from '../triggers/registry-triggers.ts'

/** Hardware revisions of a product's units that its certificate does not list. */
export function unlistedRevisions(
  { products }: Pick<Certificate, 'products'>,
  { vendor, model }: Pick<Product, 'vendor' | 'model'>,
  revisions: LineMembers['unlisted'],
): LineMembers['unlisted'] {
  return revisions.filter(({ revision }) => {
    // The release is none of this question: whatever it is, the hardware is looked at first.
    const identity = { vendor, model, hardwareRevision: revision === '' ? null : revision, release: null }
    return memberOf(products, identity) === 'hardware-not-listed'
  })
}
