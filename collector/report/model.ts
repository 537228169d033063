import type { CertificateState } from '../../shared/decisions/certificate.ts'
import type { CoverageReason } from '../../shared/decisions/coverage.ts'
import type { DocumentStanding } from '../../shared/decisions/documents/standing.ts'
import type { CertifiedProduct, ProductLine } from '../../shared/decisions/products.ts'
import type { FindingCode, Severity } from '../../shared/codes/findings.ts'
import type { SignalState, JudgedBecause } from '../../shared/maturity/conformity/judge.ts'
import type { PracticeStatus, Reason } from '../../shared/maturity/conformity/status.ts'
import type { Domain, PracticeId } from '../../shared/maturity/practices.ts'
import type { SignalId } from '../../shared/maturity/signals.ts'
import type { FindingState } from '../model/finding.ts'
import type { FleetSummary } from '../model/practice.ts'
import type { DomainGap, FrameworkView, Roadmap } from './model-kinds.ts'

export const REPORT_FORMAT = 'keepseal report, version 1'

export const REPORT_KINDS = ['surveillance', 'gap', 'roadmap', 'standards'] as const
export type ReportKind = (typeof REPORT_KINDS)[number]

/**
 * Everything that a report says. Without fractions, so that its JSON and its CBOR say the same; times are RFC 3339 in
 * UTC, digests SHA-256 in hexadecimal.
 */
export interface Report {
  readonly format: typeof REPORT_FORMAT
  readonly kind: ReportKind
  readonly madeAt: string
  readonly period: { readonly from: string; readonly to: string }
  /** Which collector says so, and who operates it, as the decision log has it; null before the log begins. */
  readonly collector: string
  readonly operator: string | null
  readonly subject: { readonly certificate: string } | { readonly product: string }
  /** The newest entry of the decision log that was read. */
  readonly log: { readonly id: string; readonly index: number; readonly hash: string } | null
  readonly catalogue: { readonly version: string; readonly digest: string }
  /** Each with its profile. Empty for a product that none is in force for. */
  readonly certificates: readonly ReportedCertificate[]
  readonly products: readonly ReportedProduct[]
  readonly documents: readonly ReportedDocument[]
  readonly decisions: readonly ReportedDecision[]
  readonly cases: readonly ReportedCase[]
  /** Parts of the other kinds of report; absent from those that do not have them. */
  readonly gap?: readonly DomainGap[]
  readonly roadmap?: Roadmap
  readonly standards?: readonly FrameworkView[]
  /** Everything by its digest that a statement rests on. */
  readonly evidence: readonly EvidenceItem[]
  /** What is not in this report, and why. */
  readonly limits: readonly string[]
}

/** A certificate is never shown without its profile, nor the profile without it. */
export interface ReportedCertificate {
  readonly id: string
  readonly number: string
  readonly state: CertificateState
  readonly reason: string
  readonly isExpired: boolean
  readonly conditions: { readonly text: string; readonly until: string; readonly overdue: boolean } | null
  readonly suspension: {
    readonly since: string
    readonly until: string
    readonly products: readonly string[] | null
  } | null
  readonly claimsAllowedFor: readonly string[]
  readonly issuedAt: string | null
  readonly validFrom: string
  readonly validUntil: string
  readonly supportUntil: string
  readonly products: readonly CertifiedProduct[]
  readonly line: ProductLine | null
  readonly profile: ReportedProfile
}

export interface ReportedProfile {
  readonly id: string
  readonly version: number
  readonly digest: string
  readonly approvedAt: string | null
  readonly targets: Readonly<Record<string, { readonly level: number; readonly scope: string }>>
  /** What only its document says; null where that is not with this collector. */
  readonly document: {
    readonly title: string
    readonly priorities: Readonly<Record<string, string>>
    readonly limitations: readonly ReportedLimitation[]
    readonly assumptions: readonly {
      readonly id: string
      readonly text: string
      readonly practices: readonly PracticeId[]
    }[]
    readonly nextReviewDue: string | null
  } | null
}

export interface ReportedLimitation {
  readonly id: string
  readonly title: string
  readonly reason: string
  readonly practices: readonly PracticeId[]
  readonly isPublic: boolean
  readonly compensation: {
    readonly text: string
    readonly check: string
    readonly outcomes: readonly CheckOutcome[]
  } | null
}

/** What a compensation's own check shows on one product. */
export interface CheckOutcome {
  readonly product: string
  readonly outcome: SignalState | 'not-evaluated'
}

export interface ReportedProduct {
  readonly id: string
  /** VENDOR/MODEL */
  readonly product: string
  /** When its practices were evaluated last, and by which fleet; null before the first time. */
  readonly evaluatedAt: string | null
  readonly fleet: FleetSummary | null
  readonly covered: number
  /** Active units that no certificate covers, by the most telling reason. */
  readonly notCovered: Readonly<Partial<Record<CoverageReason, number>>>
  /** The worst of the practices that the profile asks for. */
  readonly conformity: PracticeStatus
  readonly practices: readonly ReportedPractice[]
  readonly objectives: readonly ReportedObjective[]
  readonly findings: readonly ReportedFinding[]
}

export interface ReportedPractice {
  readonly practice: PracticeId
  readonly name: string
  readonly domain: Domain
  readonly target: number | null
  readonly scope: string | null
  readonly supported: number
  readonly conformity: PracticeStatus
  readonly since: string | null
  readonly coverage: { readonly known: number; readonly denominator: number } | null
  readonly confirmed: { readonly by: string; readonly at: string; readonly reason: string } | null
  readonly reasons: readonly Reason[]
  /** Changes within the period, oldest first. */
  readonly history: readonly {
    readonly at: string
    readonly from: PracticeStatus | null
    readonly to: PracticeStatus
    readonly reasons: readonly string[]
  }[]
}

/** A service level objective at the end of the period. Numbers are in `unit`: shares in millionths, times in ms. */
export interface ReportedObjective {
  readonly signal: SignalId
  readonly title: string
  readonly practices: readonly PracticeId[]
  readonly unit: 'millionths' | 'ms' | 'count'
  readonly target: number
  readonly targetText: string
  readonly percentile: number | null
  readonly windowDays: number
  /** null: not known, or nothing that it could be measured from (`idle`). */
  readonly value: number | null
  readonly valueText: string
  readonly good: number
  readonly known: number
  readonly denominator: number
  readonly state: SignalState
  readonly because: JudgedBecause
  /** Of what may fail over the window, how much has: in thousandths. null where nothing may. */
  readonly budgetUsedPermille: number | null
  readonly day: string | null
  /** The days of the window that it was computed from, and the digest of their rows (docs/reports.md). */
  readonly samples: { readonly days: number; readonly sha256: string } | null
}

export interface ReportedFinding {
  readonly code: FindingCode
  readonly title: string
  readonly severity: Severity
  readonly state: FindingState
  readonly findings: number
  readonly units: number
  readonly acknowledged: number
}

export interface ReportedDocument {
  readonly id: string
  readonly kind: string
  readonly practices: readonly PracticeId[]
  readonly products: readonly string[]
  readonly criterion: string
  readonly signer: string
  readonly capacity: string
  readonly signerRevoked: boolean
  readonly standing: DocumentStanding
  /** Whether a practice may rest on it now. */
  readonly counts: boolean
  readonly issued: string
  readonly validUntil: string
  /** Of the document itself, which is not here. */
  readonly sha256: string
}

export interface ReportedDecision {
  readonly index: number
  readonly at: string
  readonly kind: string
  readonly title: string
  readonly subject: string
  readonly author: string
  readonly role: string
  readonly hash: string
}

export interface ReportedCase {
  readonly id: string
  readonly product: string
  readonly certificate: string
  readonly trigger: string
  readonly cause: string
  readonly title: string
  readonly state: string
  readonly openedAt: string
  /** When somebody decided that it is over; null while it is not. */
  readonly endedAt: string | null
  readonly openedInPeriod: boolean
  readonly endedInPeriod: boolean
}

export const EVIDENCE_KINDS = [
  'evidence',
  'posture',
  'section',
  'profile',
  'document',
  'decision',
  'samples',
  'release',
  'case-facts',
  'catalogue',
] as const
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number]

export interface EvidenceItem {
  readonly kind: EvidenceKind
  readonly sha256: string
  /** What rests on it: a finding's code, a signal, a section, the index of a decision. */
  readonly about: string
}
