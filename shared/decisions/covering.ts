import { isInForce, standingOf, type Certificate } from './certificate.ts'
import { isNamed, type ProductIdentity } from './products.ts'
import type { Register } from './register.ts'

/**
 * Certificates that are in force for a product, suspended ones among them: those whose promises its drift touches, and
 * whose certifier countersigns its releases. `at`: seconds since 1970.
 */
export const certificatesCovering = (
  { certificates }: Pick<Register, 'certificates'>,
  product: ProductIdentity,
  at: number,
): readonly Certificate[] =>
  [...certificates.values()].filter(
    (certificate) =>
      isInForce(certificate) &&
      !standingOf(certificate, at).isExpired &&
      certificate.products.some((each) => isNamed(each.product, product)),
  )
