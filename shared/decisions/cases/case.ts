import type { Severity } from '../../codes/findings.ts'
import type { PracticeId } from '../../maturity/practices.ts'
import type { Proof, TriggerId } from '../../maturity/triggers.ts'
import type { ChangeClass, LegalScheme } from './schemes.ts'

/**
 * Where a reassessment is on its way. `triggered`: opened by the software or reported, and nobody has looked at it.
 * `closed`, `dismissed` and `ended` are final; a case ends with its certificate when that is no longer in force.
 */
export const CASE_STATES = [
  'triggered',
  'dismissed',
  'triaged',
  'impact-analysis',
  'scoped',
  'remediation',
  'verification',
  'assessor-decision',
  'profile-change',
  'escalated',
  'closed',
  'ended',
] as const
export type CaseState = (typeof CASE_STATES)[number]

export const FINAL_STATES = ['dismissed', 'closed', 'ended'] as const satisfies readonly CaseState[]
export const isFinal = (state: CaseState): boolean => (FINAL_STATES as readonly CaseState[]).includes(state)
export const OPEN_STATES: readonly CaseState[] = CASE_STATES.filter((state) => !isFinal(state))

/**
 * `remediation`: it is not fixed, and a new plan is wanted. `resume`: goes on where an escalation, or the intention to
 * change the profile, has interrupted it. `ended`: the certificate is in force no more.
 */
export const OUTCOMES = ['closed', 'remediation', 'profile-change', 'resume', 'ended'] as const

/** What a case is about, as the collector recorded it when it was opened. The digest binds all of the facts. */
export interface CaseIdentity {
  /** SHA-256 of the facts (facts.ts), in hexadecimal. */
  readonly facts: string
  readonly product: string
  readonly certificate: string
  readonly trigger: TriggerId
  readonly cause: string
  readonly proof: Proof
  /** Seconds since 1970, as all times of the log. */
  readonly openedAt: number
}

/** Who said it, and when. */
export interface Act {
  readonly by: string
  readonly at: number
}

/** One decision about a case. */
export interface CaseStep extends Act {
  /** Place of its entry in the log. */
  readonly index: number
  /** What `case.` is followed by in its kind. */
  readonly step: string
  /** The state that it led to. */
  readonly state: CaseState
}

/** When the vendor became aware of what may have to be reported: said by a person, never by software. */
export interface Awareness extends Act {
  readonly awareAt: number
  readonly reason: string
  readonly source: string
}

/** The impact analysis report. */
export interface ImpactReport {
  readonly summary: string
  /** Versions of the product before and after the change; null where nothing was changed. */
  readonly from: string | null
  readonly to: string | null
  readonly changes: readonly { readonly what: string; readonly effect: string }[]
  readonly practices: readonly PracticeId[]
  /** Evidence of the assessment that does not hold any more, or has to be made anew. */
  readonly affectedEvidence: readonly string[]
  readonly proposedClass: ChangeClass
}

/** What is assessed anew, and nothing else. */
export interface ReassessmentScope {
  readonly practices: readonly PracticeId[]
  readonly criteria: readonly { readonly practice: PracticeId; readonly criterion: string }[]
  readonly class: ChangeClass
  /** As the certifier confirms it. */
  readonly severity: Severity
  readonly recommendations: readonly string[]
  readonly reason: string
}

export interface RemediationPlan {
  /** Items of the roadmap: what is done, by whom, until when. */
  readonly actions: readonly { readonly what: string; readonly owner: string; readonly due: number }[]
  readonly until: number
}

export interface Fix {
  readonly fixedAt: number
  readonly what: string
  /** Id of the release that brings it, where one does. */
  readonly release: string | null
}

/** What shows that the fix has arrived. */
export interface Verification {
  /** What each practice of the scope was found to be. */
  readonly results: readonly { readonly practice: PracticeId; readonly result: string }[]
  /** Units that show the fix by fresh evidence from `since` on, of all that are declared; null where documents show it. */
  readonly fleet: { readonly since: number; readonly shown: number; readonly declared: number } | null
  readonly documents: readonly { readonly title: string; readonly digest: string; readonly dated: number }[]
}

export interface Proposal {
  readonly measure: 'suspend' | 'withdraw'
  readonly products: readonly string[] | null
  readonly reason: string
}

/** A case as the decision log says. Nothing of it was decided elsewhere. */
export interface Case extends CaseIdentity {
  readonly id: string
  readonly state: CaseState
  readonly severity: Severity
  /** When it came into its state. */
  readonly since: number
  readonly reason: string
  readonly aware: Readonly<Partial<Record<LegalScheme, Awareness>>>
  readonly triaged: Act | null
  readonly impact: (ImpactReport & Act) | null
  readonly scope: (ReassessmentScope & Act) | null
  readonly plan: (RemediationPlan & Act & { readonly firstAt: number }) | null
  readonly fix: (Fix & Act) | null
  /** Everybody who has ever reported a fix of it: none of them signs it off. */
  readonly fixers: readonly string[]
  readonly verification: (Verification & Act) | null
  readonly proposal: (Proposal & Act) | null
  /** The state that an escalation interrupts. */
  readonly resumes: CaseState | null
  /** Oldest first. */
  readonly history: readonly CaseStep[]
}

export const newCase = (id: string, identity: CaseIdentity, severity: Severity, at: number): Case => ({
  ...identity,
  id,
  state: 'triggered',
  severity,
  since: at,
  reason: '',
  aware: {},
  triaged: null,
  impact: null,
  scope: null,
  plan: null,
  fix: null,
  fixers: [],
  verification: null,
  proposal: null,
  resumes: null,
  history: [],
})
