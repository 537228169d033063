import { KeepsealError } from '../errors.ts'
import type { Certificate } from './certificate.ts'
import type { DraftDetail } from './certificate-schemas.ts'
import { approvedOf } from './profile.ts'
import type { Register } from './register.ts'

/** Drafts that are made of the certificate that they replace: nobody has to write out again what stays. */

type Known = Pick<Register, 'profiles'>

/** What another one says, of the profile as it is approved now. */
function like({ profiles }: Known, before: Certificate, over: Partial<DraftDetail>): DraftDetail {
  const { number, products, line, agreement, validFrom, validUntil, supportUntil, id, profile } = before
  const { version, digest } = approvedOf(profiles.get(profile.id)) ?? profile
  return {
    number,
    products: products.map((each) => ({ ...each })),
    line: line === null ? null : { ...line },
    profile: { id: profile.id, version, digest },
    agreement: { ...agreement },
    validFrom,
    validUntil,
    supportUntil,
    supersedes: id,
    isReduction: false,
    ...over,
  }
}

/** The next version, with new dates. All times are seconds since 1970. */
export const renewalOf = (
  known: Known,
  before: Certificate,
  dates: Pick<DraftDetail, 'number' | 'validFrom' | 'validUntil'> & { readonly supportUntil: number | null },
): DraftDetail => like(known, before, { ...dates, supportUntil: dates.supportUntil ?? before.supportUntil })

/**
 * A version with fewer products, or of a profile that was lowered. `stay`: VENDOR/MODEL of those that stay; null: all.
 * Error: certificate.scope-widened.
 */
export function reductionOf(
  known: Known,
  before: Certificate,
  number: string,
  stay: readonly string[] | null,
): DraftDetail {
  const foreign = stay?.filter((each) => !before.products.some(({ product }) => product === each)) ?? []
  if (foreign.length > 0) throw new KeepsealError('certificate.scope-widened', foreign.join(', '))
  const products = before.products.filter(({ product }) => stay === null || stay.includes(product))
  // The representative may be among those that go: the first that stays takes its place.
  const hasOne = products.length === 1 || products.some(({ representative }) => representative)
  const kept = products.map((each, index) => ({ ...each, representative: hasOne ? each.representative : index === 0 }))
  return like(known, before, { number, products: kept, isReduction: true })
}
