import type { Severity } from '../codes/findings.ts'
import type { Period } from './period.ts'

/** What has to show that a case is over: fresh evidence of the fleet, or documents that people have signed. */
export const PROOFS = ['fleet', 'documents'] as const
export type Proof = (typeof PROOFS)[number]

/** Something after which a certificate has to be looked at again (practice model, T1 to T19). */
export interface Trigger {
  readonly title: string
  /** Where it comes from. `intake`: people enter it, with `keepseal case open`. */
  readonly source: 'evidence' | 'registry' | 'calendar' | 'feed' | 'catalogue' | 'log' | 'intake'
  /** A `review` is due by the calendar and says nothing against the product. */
  readonly opens: 'case' | 'review'
  readonly severity: Severity
  /** Until a person says whether it is one. */
  readonly triage: Period
  /** From then until the impact analysis report. */
  readonly impact: Period
  readonly proof: Proof
  /** People may open one. */
  readonly intake: boolean
  /** What the software has noticed, and only a person can decide. */
  readonly toDecide?: string
}

const FORTNIGHT = { days: 14 } as const
const WEEK = { days: 7 } as const

/** All triggers. What each of them opens is a case that people decide about: none acts by itself. */
export const TRIGGERS = {
  T1: {
    title: 'what was booted or measured is not what was approved, or the proof of it failed',
    source: 'evidence',
    opens: 'case',
    severity: 'high',
    triage: { hours: 24 },
    impact: { days: 7 },
    proof: 'fleet',
    intake: false,
  },
  T2: {
    title: 'a version, or a large change, that no assessment covers',
    source: 'registry',
    opens: 'case',
    severity: 'medium',
    triage: { workingDays: 5 },
    impact: FORTNIGHT,
    proof: 'fleet',
    intake: true,
    toDecide: 'the class of the change: none, minor, major or emergency',
  },
  T3: {
    title: 'a practice misses its objectives in the fleet',
    source: 'evidence',
    opens: 'case',
    severity: 'medium',
    triage: WEEK,
    impact: FORTNIGHT,
    proof: 'fleet',
    intake: false,
  },
  T4: {
    title: 'a critical or exploited vulnerability in a version that is covered',
    source: 'feed',
    opens: 'case',
    severity: 'critical',
    triage: { hours: 24 },
    impact: { days: 3 },
    proof: 'fleet',
    intake: true,
    toDecide: 'whether a duty to report exists (Cyber Resilience Act, Article 14): assess it now. Not legal advice',
  },
  T5: {
    title: 'no recent search for vulnerabilities in the version that is deployed',
    source: 'registry',
    opens: 'case',
    severity: 'medium',
    triage: { days: 30 },
    impact: FORTNIGHT,
    proof: 'documents',
    intake: false,
  },
  T6: {
    title: 'updates cannot be trusted or do not arrive: unsigned, unreachable, or another key',
    source: 'evidence',
    opens: 'case',
    severity: 'high',
    triage: { hours: 24 },
    impact: WEEK,
    proof: 'fleet',
    intake: false,
  },
  T7: {
    title: 'the support of the product has ended or stopped',
    source: 'calendar',
    opens: 'case',
    severity: 'high',
    triage: { workingDays: 2 },
    impact: WEEK,
    proof: 'documents',
    intake: false,
    toDecide: 'whether the certificate goes on under conditions, is suspended, or ends',
  },
  T8: {
    title: 'a document has expired, or a review that was agreed is overdue',
    source: 'calendar',
    opens: 'review',
    severity: 'medium',
    triage: FORTNIGHT,
    impact: FORTNIGHT,
    proof: 'documents',
    intake: false,
  },
  T9: {
    title: 'a security incident in the field, or the product is being exploited',
    source: 'intake',
    opens: 'case',
    severity: 'critical',
    triage: { hours: 24 },
    impact: { days: 3 },
    proof: 'documents',
    intake: true,
    toDecide: 'since when the vendor is aware of it (keepseal case aware), and whom he has to tell. Not legal advice',
  },
  T10: {
    title: 'a limitation has changed, or the measure that makes up for it does not work',
    source: 'evidence',
    opens: 'case',
    severity: 'medium',
    triage: WEEK,
    impact: FORTNIGHT,
    proof: 'fleet',
    intake: true,
  },
  T11: {
    title: 'the environment, or the threats, are not those that were assumed',
    source: 'intake',
    opens: 'case',
    severity: 'medium',
    triage: WEEK,
    impact: FORTNIGHT,
    proof: 'documents',
    intake: true,
    toDecide: 'whether the unchanged product still fits what it is used for',
  },
  T12: {
    title: 'a member of the product line has left what the line has in common',
    source: 'registry',
    opens: 'case',
    severity: 'high',
    triage: WEEK,
    impact: FORTNIGHT,
    proof: 'documents',
    intake: false,
    toDecide: 'whether the member stays in the scope of the certificate',
  },
  T13: {
    title: 'the vendor gives notice: supplier, owner, development site or process have changed',
    source: 'intake',
    opens: 'case',
    severity: 'medium',
    triage: { workingDays: 5 },
    impact: FORTNIGHT,
    proof: 'documents',
    intake: true,
  },
  T14: {
    title: 'evidence is missing: too few units report, or agents are switched off',
    source: 'evidence',
    opens: 'case',
    severity: 'medium',
    triage: WEEK,
    impact: FORTNIGHT,
    proof: 'fleet',
    intake: false,
  },
  T15: {
    title: 'an identity was copied, or its keys are not to be trusted',
    source: 'evidence',
    opens: 'case',
    severity: 'critical',
    triage: { hours: 24 },
    impact: { days: 3 },
    proof: 'fleet',
    intake: false,
  },
  T16: {
    title: 'the certificate ends within nine months, or its yearly review is due',
    source: 'calendar',
    opens: 'review',
    severity: 'low',
    triage: { days: 30 },
    impact: { days: 30 },
    proof: 'documents',
    intake: false,
  },
  T17: {
    title: 'the catalogue of practices, a mapping or a regulation has a new version',
    source: 'catalogue',
    opens: 'review',
    severity: 'low',
    triage: { days: 30 },
    impact: { days: 30 },
    proof: 'documents',
    intake: true,
    toDecide: 'which targets have to be assessed against the new version',
  },
  T18: {
    title: 'a complaint, a report of a researcher, or a request of an authority',
    source: 'intake',
    opens: 'case',
    severity: 'medium',
    triage: { workingDays: 2 },
    impact: FORTNIGHT,
    proof: 'documents',
    intake: true,
  },
  T19: {
    title: 'the vendor does not do what was agreed: late notice, false evidence, refused access',
    source: 'log',
    opens: 'case',
    severity: 'high',
    triage: { workingDays: 5 },
    impact: FORTNIGHT,
    proof: 'documents',
    intake: true,
    toDecide: 'whether to propose a suspension (keepseal case escalate)',
  },
} as const satisfies Record<string, Trigger>

export type TriggerId = keyof typeof TRIGGERS
export const TRIGGER_IDS = Object.keys(TRIGGERS) as [TriggerId, ...TriggerId[]]

export const triggerOf = (id: TriggerId): Trigger => TRIGGERS[id]
