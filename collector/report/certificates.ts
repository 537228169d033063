import { fromHex } from '../../shared/bytes/bytes.ts'
import { standingOf, type Certificate } from '../../shared/decisions/certificate.ts'
import { nextReviewDue } from '../../shared/decisions/profile-review.ts'
import { dayOf } from '../../shared/maturity/conformity/sample.ts'
import { judge } from '../../shared/maturity/conformity/judge.ts'
import { objectiveOf } from '../../shared/maturity/objective.ts'
import { practicesOf } from '../../shared/maturity/problems.ts'
import type { Check, Limitation, ProfileDocument } from '../../shared/maturity/profile.ts'
import { decodeProfile } from '../../shared/maturity/profile-encoding.ts'
import { SIGNALS } from '../../shared/maturity/signals.ts'
import type { CheckOutcome, ReportedCertificate, ReportedLimitation, ReportedProfile } from './model.ts'
import { newestOf, type ProductSource } from './objectives.ts'
import { ofSeconds, ofSecondsOrNull, type Making } from './sources.ts'

/** A certificate with its profile: what was agreed, and how it stands now. */
export async function reportCertificate(
  making: Making,
  certificate: Certificate,
  products: readonly ProductSource[],
): Promise<ReportedCertificate> {
  const { now } = making
  const standing = standingOf(certificate, Math.floor(now / 1000))
  const { conditions, suspension } = certificate
  return {
    id: certificate.id,
    number: certificate.number,
    state: certificate.state,
    reason: certificate.reason,
    isExpired: standing.isExpired,
    conditions: conditions && {
      text: conditions.text,
      until: ofSeconds(conditions.until),
      overdue: standing.conditionsOverdue,
    },
    suspension: suspension && {
      since: ofSeconds(suspension.since),
      until: ofSeconds(suspension.until),
      products: suspension.products,
    },
    claimsAllowedFor: standing.claimsAllowedFor,
    issuedAt: ofSecondsOrNull(certificate.issuedAt),
    validFrom: ofSeconds(certificate.validFrom),
    validUntil: ofSeconds(certificate.validUntil),
    supportUntil: ofSeconds(certificate.supportUntil),
    products: certificate.products,
    line: certificate.line,
    profile: await reportProfile(making, certificate, products),
  }
}

async function reportProfile(
  making: Making,
  { profile: { id, version, digest } }: Certificate,
  products: readonly ProductSource[],
): Promise<ReportedProfile> {
  const { register, ledger, limits, store } = making
  const agreed = register.profiles.get(id)?.find((each) => each.version === version)
  ledger.add('profile', digest, `${id} ${version}`)
  const document = await documentOf(store, digest)
  if (document === undefined) {
    limits.add(
      `The document of profile ${id} ${version} is not with this collector: its priorities, limitations and assumptions are not told.`,
    )
  }
  const reviews = register.profileReviews.get(id)
  const targets = Object.entries(agreed?.targets ?? {}).map(
    ([practice, { level, scope }]) => [practice, { level, scope }] as const,
  )
  return {
    id,
    version,
    digest,
    approvedAt: ofSecondsOrNull(agreed?.approvedAt ?? null),
    targets: Object.fromEntries(targets),
    document:
      document === undefined
        ? null
        : {
            title: document.title,
            priorities: Object.fromEntries(practicesOf(document).map(([practice, each]) => [practice, each.priority])),
            limitations: document.limitations.map((each) => reportLimitation(making, each, products)),
            assumptions: document.assumptions.map((each) => ({
              id: each.id,
              text: each.text,
              practices: each.practices,
            })),
            nextReviewDue: ofSecondsOrNull(
              nextReviewDue(register.profiles.get(id), reviews, document.review.everyDays),
            ),
          },
  }
}

/** The document that a digest names; what is here says what was approved, or is not that document. */
export async function documentOf(store: Making['store'], digest: string): Promise<ProfileDocument | undefined> {
  const bytes = await store.profileDocuments.byDigest(fromHex(digest))
  return bytes === undefined ? undefined : decodeProfile(bytes)
}

function reportLimitation(
  making: Making,
  { id, title, reason, practices, compensation, public: isPublic }: Limitation,
  products: readonly ProductSource[],
): ReportedLimitation {
  return {
    id,
    title,
    reason,
    practices,
    isPublic,
    compensation: compensation && {
      text: compensation.text,
      check: checkText(compensation.check),
      outcomes: products.map((product) => checkOutcome(making, compensation.check, product)),
    },
  }
}

function checkText(check: Check): string {
  if (check.kind === 'signal') return `signal ${check.signal}`
  if (check.kind === 'document') return `document ${check.document}`
  return `${check.section}.${check.fact.join('.')} is ${String(check.equals)} on ${check.sharePercent} % of the devices`
}

/** Of signals there are samples; what a document or a section says of it is told nowhere yet. */
function checkOutcome({ period, limits }: Making, check: Check, { product, samples }: ProductSource): CheckOutcome {
  const name = `${product.vendor}/${product.model}`
  if (check.kind !== 'signal') {
    limits.add('Checks of compensations by document or by a fact of a section are not evaluated in reports.')
    return { product: name, outcome: 'not-evaluated' }
  }
  const day = dayOf(period.to)
  const all = samples.get(check.signal) ?? []
  const { now, history } = newestOf(all, day)
  const objective = objectiveOf(check.signal, check.slo)
  return { product: name, outcome: judge(SIGNALS[check.signal], objective, now, day, history).state }
}
