import { namesOf, type CertifiedProduct, type ProductLine } from './products.ts'

/** Moved by a certifier's signed decision alone. Expiry is no state: every reader computes it from the signed dates. */
export const CERTIFICATE_STATES = [
  'draft',
  'valid',
  'valid-with-conditions',
  'suspended',
  'superseded',
  'withdrawn',
  'abandoned',
] as const
export type CertificateState = (typeof CERTIFICATE_STATES)[number]

/** Decided, and not ended by a decision. */
export const IN_FORCE: readonly CertificateState[] = ['valid', 'valid-with-conditions', 'suspended']

/** How much of the live conformity the public page shows. */
export const PUBLIC_CONFORMITY = ['none', 'flag', 'full'] as const
export type PublicConformity = (typeof PUBLIC_CONFORMITY)[number]

/** What certifier and vendor agreed beside the profile. */
export interface CertificateAgreement {
  readonly publicConformity: PublicConformity
  /** Some schemes say that suspension does not affect the validity, others that it does. */
  readonly claimsWhileSuspended: boolean
  /** Share of the declared units that has to show a fix before a nonconformity is closed, in percent. */
  readonly closingShare: number
  /** After so many days in drift without a break a practice that counts is nonconforming; absent: never by itself. */
  readonly nonconformingAfterDays?: number
}

export interface Certificate {
  readonly id: string
  /** The certifier's own number of it. */
  readonly number: string
  /** Products that it is for. Never shown without the profile, nor the profile without it. */
  readonly products: readonly CertifiedProduct[]
  /** null for a single product. */
  readonly line: ProductLine | null
  readonly profile: { readonly id: string; readonly version: number; readonly digest: string }
  readonly agreement: CertificateAgreement
  /** Seconds since 1970. */
  readonly validFrom: number
  readonly validUntil: number
  /** End of the vendor's support, which the validity presumes. */
  readonly supportUntil: number
  readonly supersedes: string | null
  /** It has less than the one that it supersedes, and no assessment of its own. */
  readonly isReduction: boolean
  readonly state: CertificateState
  readonly issuedAt: number | null
  /** Index of its draft in the log, and so of its place in a list of statuses: it never moves. */
  readonly place: number
  /** Id of the person who wrote the draft. */
  readonly draftedBy: string
  readonly conditions: Conditions | null
  readonly suspension: Suspension | null
  /** Time in all that it was suspended before now, in seconds. */
  readonly suspendedSeconds: number
  /** Why it is in its state, as the last decision says. */
  readonly reason: string
}

export interface Conditions {
  readonly text: string
  readonly until: number
  readonly extended: boolean
}

export interface Suspension {
  readonly since: number
  readonly until: number
  /** Names of the products that it is suspended for; null: all. */
  readonly products: readonly string[] | null
}

/** What a certificate says at one moment. */
export interface CertificateStanding {
  readonly state: CertificateState
  readonly isExpired: boolean
  /** A conditions period has ended without a decision: the state stays, and everybody sees this. */
  readonly conditionsOverdue: boolean
  readonly suspensionOverdue: boolean
  /** Names of the products for which the vendor may claim the certificate now. */
  readonly claimsAllowedFor: readonly string[]
}

export const isInForce = ({ state }: Pick<Certificate, 'state'>): boolean => IN_FORCE.includes(state)

/** `at`: seconds since 1970. A pure function, so that everybody who has the certificate gets the same answer. */
export function standingOf(certificate: Certificate, at: number): CertificateStanding {
  const { state, validFrom, validUntil, supportUntil, agreement, conditions, suspension } = certificate
  const products = namesOf(certificate.products)
  const isExpired = at >= Math.min(validUntil, supportUntil)
  const suspended = suspension === null ? [] : (suspension.products ?? products)
  const claimed = agreement.claimsWhileSuspended ? products : products.filter((product) => !suspended.includes(product))
  return {
    state,
    isExpired,
    conditionsOverdue: conditions !== null && at >= conditions.until,
    suspensionOverdue: suspension !== null && at >= suspension.until,
    claimsAllowedFor: isInForce(certificate) && !isExpired && at >= validFrom ? claimed : [],
  }
}
