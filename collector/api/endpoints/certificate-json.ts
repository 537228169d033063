import * as v from 'valibot'
import { standingOf, type Certificate } from '../../../shared/decisions/certificate.ts'
import type { ProfileTargets } from '../../../shared/decisions/profile.ts'
import type { CertifiedCoverage } from '../../decisions/certified-coverage.ts'
import type { CertificateConformity } from '../../tracking/practices/conformity-of.ts'
import { coverageFields, coverageJson } from './coverage.ts'
import { Conformity, Practices } from './practice-json.ts'
import { Digest, id, Time, toTime, toTimeOrNull } from '../schemas.ts'

const CertifiedProductJson = v.strictObject({
  /** VENDOR/MODEL */
  product: v.string(),
  hardwareRevisions: v.array(v.string()),
  /** Patterns over the names of releases. */
  firmwareLines: v.array(v.string()),
  representative: v.boolean(),
  rationale: v.string(),
})

const standingFields = {
  id: v.string(),
  number: v.string(),
  /** Never without its profile. */
  profile: v.strictObject({ id: v.string(), version: v.number(), digest: Digest }),
  products: v.array(CertifiedProductJson),
  /** What makes several products one. */
  line: v.nullable(v.strictObject({ name: v.string(), codeBase: v.string(), hardware: v.string() })),
  state: v.string(),
  reason: v.string(),
  expired: v.boolean(),
  conditionsOverdue: v.boolean(),
  suspensionOverdue: v.boolean(),
  conditions: v.nullable(v.strictObject({ text: v.string(), until: Time, extended: v.boolean() })),
  suspension: v.nullable(v.strictObject({ since: Time, until: Time, products: v.nullable(v.array(v.string())) })),
  claimsAllowedFor: v.array(v.string()),
  issuedAt: v.nullable(Time),
  validFrom: Time,
  validUntil: Time,
  supportUntil: Time,
  supersedes: v.nullable(v.string()),
}
export const CertificateStanding = v.strictObject(standingFields)

/** One of them with what is computed of it: that moves no certificate. */
export const CertificateDetail = v.strictObject({
  ...standingFields,
  /** The worst of its products, by the practices that count. */
  conformity: Conformity,
  practices: v.array(
    v.strictObject({ practice: Practices, target: v.number(), counts: v.boolean(), conformity: Conformity }),
  ),
  live: v.array(
    v.strictObject({
      product: v.string(),
      /** null: no such product is registered here. */
      productId: v.nullable(id('prd')),
      conformity: Conformity,
      evaluatedAt: v.nullable(Time),
      /** Active units. */
      ...coverageFields,
    }),
  ),
})

/** What is computed of a certificate, beside its standing. */
export function certificateLiveJson(
  { overall, practices, counting, products }: CertificateConformity,
  coverage: readonly CertifiedCoverage[],
  targets: ProfileTargets,
) {
  return {
    conformity: overall,
    practices: [...practices].map(([practice, conformity]) => ({
      practice,
      target: targets[practice]?.level ?? 0,
      counts: counting.includes(practice),
      conformity,
    })),
    live: products.map(({ product, productId, evaluatedAt, overall: conformity }, index) => ({
      product,
      productId,
      conformity,
      evaluatedAt: toTimeOrNull(evaluatedAt),
      ...coverageJson(coverage[index] ?? { covered: 0, notCovered: 0, reasons: {} }),
    })),
  }
}

export function certificateStandingJson(
  certificate: Certificate,
  now: number,
): v.InferOutput<typeof CertificateStanding> {
  const at = (seconds: number): string => toTime(seconds * 1000)
  const { isExpired: expired, conditionsOverdue, suspensionOverdue, claimsAllowedFor } = standingOf(certificate, now)
  const { id, number, profile, products, line, state, reason, conditions, suspension, supersedes } = certificate
  return {
    id,
    number,
    profile: { ...profile },
    products: products.map((each) => ({
      ...each,
      hardwareRevisions: [...each.hardwareRevisions],
      firmwareLines: [...each.firmwareLines],
    })),
    line: line === null ? null : { ...line },
    state,
    reason,
    expired,
    conditionsOverdue,
    suspensionOverdue,
    conditions: conditions === null ? null : { ...conditions, until: at(conditions.until) },
    suspension:
      suspension === null
        ? null
        : {
            since: at(suspension.since),
            until: at(suspension.until),
            products: suspension.products === null ? null : [...suspension.products],
          },
    claimsAllowedFor: [...claimsAllowedFor],
    issuedAt: toTimeOrNull(certificate.issuedAt === null ? null : certificate.issuedAt * 1000),
    validFrom: at(certificate.validFrom),
    validUntil: at(certificate.validUntil),
    supportUntil: at(certificate.supportUntil),
    supersedes,
  }
}
