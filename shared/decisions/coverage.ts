import { isInForce, standingOf, type Certificate } from './certificate.ts'
import { isNamed, memberOf, productName, type DeviceIdentity, type MemberFault } from './products.ts'
import type { Register } from './register.ts'
import { isReleaseCovered, releaseName } from './release-kinds.ts'

/** Why a device is not covered by any certificate, the most telling first. */
export const COVERAGE_REASONS = [
  'no-certificate',
  'product-not-listed',
  'hardware-not-listed',
  'release-unknown',
  'release-not-listed',
  'release-pending',
  'not-countersigned',
  'expired',
  'suspended',
  'unit-failing',
] as const
export type CoverageReason = (typeof COVERAGE_REASONS)[number] & string

/** For people: what each of them means. */
export const COVERAGE_TEXTS: Readonly<Record<CoverageReason, string>> = {
  'no-certificate': 'no certificate of this vendor is in force',
  'product-not-listed': 'no certificate in force lists this product',
  'hardware-not-listed': 'its certificate does not list this hardware revision',
  'release-unknown': 'no release explains what it reports',
  'release-not-listed': 'its release is of no firmware line of the certificate',
  'release-pending': 'its release is newer than the assessment, and not classified',
  'not-countersigned': 'the certifier has not countersigned its release',
  expired: 'the certificate has expired',
  suspended: 'the certificate is suspended for it',
  'unit-failing': 'it fails, failed and nobody has acknowledged it, or may not report',
}

/** What is known of the release that a device runs. */
export interface RunningRelease {
  readonly name: string
  /** SHA-256, in hexadecimal. */
  readonly digest: string
  /** Seconds since 1970; null for one that never was in force. */
  readonly activatedAt: number | null
  readonly isCountersigned: boolean
}

export interface Unit extends Omit<DeviceIdentity, 'release'> {
  readonly release: RunningRelease | null
  /** Its evidence fails, failed and nobody has acknowledged it, or it may not report any more. */
  readonly isFailing: boolean
}

export type Coverage =
  | { readonly coverage: 'covered'; readonly certificate: string; readonly reason: null }
  | { readonly coverage: 'not-covered'; readonly certificate: string | null; readonly reason: CoverageReason }

/**
 * Whether a device counts as certified: it is one product of a certificate in force, it runs a release that was assessed
 * with it or classified since, and nothing stands against it. `at`: seconds since 1970.
 */
export function coverageOf(register: Pick<Register, 'certificates' | 'releases'>, unit: Unit, at: number): Coverage {
  const inForce = [...register.certificates.values()].filter(isInForce)
  const found = inForce.map((each) => ({ certificate: each, reason: faultOf(register, each, unit, at) }))
  const covering = found.find(({ reason }) => reason === null)
  if (covering !== undefined) return { coverage: 'covered', certificate: covering.certificate.id, reason: null }
  // The certificate that fits best says the most.
  const [closest] = found
    .flatMap(({ certificate, reason }) => (reason === null ? [] : [{ certificate, reason }]))
    .sort((a, b) => COVERAGE_REASONS.indexOf(b.reason) - COVERAGE_REASONS.indexOf(a.reason))
  if (closest === undefined || closest.reason === 'product-not-listed') {
    const isSameVendor = inForce.some(({ products }) =>
      products.some(({ product }) => product.startsWith(`${unit.vendor}/`)),
    )
    return {
      coverage: 'not-covered',
      certificate: null,
      reason: isSameVendor ? 'product-not-listed' : 'no-certificate',
    }
  }
  return { coverage: 'not-covered', certificate: closest.certificate.id, reason: closest.reason }
}

function faultOf(
  { certificates, releases }: Pick<Register, 'certificates' | 'releases'>,
  certificate: Certificate,
  { release, isFailing, ...identity }: Unit,
  at: number,
): CoverageReason | null {
  const member = memberOf(certificate.products, { ...identity, release: release?.name ?? null })
  if (typeof member === 'string') return member satisfies MemberFault
  if (release === null) return 'release-unknown'
  const isNew = release.activatedAt === null || release.activatedAt > assessedAt(certificates, certificate)
  const classified = releases.get(releaseName(member.product, release.name))
  if (isNew && !isReleaseCovered(classified, release.digest, at)) return 'release-pending'
  if (!release.isCountersigned) return 'not-countersigned'
  const { isExpired, claimsAllowedFor } = standingOf(certificate, at)
  if (isExpired) return 'expired'
  const suspended = certificate.suspension
  const isSuspended = suspended !== null && (suspended.products ?? [member.product]).includes(member.product)
  if (isSuspended || !claimsAllowedFor.includes(member.product)) return 'suspended'
  return isFailing ? 'unit-failing' : null
}

/** When the assessment was that a certificate stands on: a reduction has none of its own. */
function assessedAt(certificates: Register['certificates'], certificate: Certificate): number {
  let found = certificate
  while (found.isReduction && found.supersedes !== null) {
    const before = certificates.get(found.supersedes)
    if (before === undefined) break
    found = before
  }
  return found.issuedAt ?? 0
}

/** A fact that calls for a review of the scope (trigger T12): a member of a line is not what its certificate lists. */
export interface Divergence {
  readonly certificate: string
  /** VENDOR/MODEL */
  readonly product: string
  readonly reason: MemberFault
}

const DIVERGENCES: readonly CoverageReason[] = ['product-not-listed', 'hardware-not-listed', 'release-not-listed']

/** How devices diverge from the lines of their vendor's certificates in force; a release that nobody knows is no fact yet. */
export function divergencesOf(register: Pick<Register, 'certificates'>, device: DeviceIdentity): readonly Divergence[] {
  const ofVendor = [...register.certificates.values()].filter(
    (each) => isInForce(each) && each.products.some(({ product }) => product.startsWith(`${device.vendor}/`)),
  )
  // A model that another certificate of the vendor lists is no unlisted one.
  const isListed = ofVendor.some(({ products }) => products.some(({ product }) => isNamed(product, device)))
  return ofVendor.flatMap(({ id, products }) => {
    const member = memberOf(products, device)
    if (typeof member !== 'string' || !DIVERGENCES.includes(member)) return []
    if (member === 'product-not-listed' && isListed) return []
    return [{ certificate: id, product: productName(device), reason: member }]
  })
}
