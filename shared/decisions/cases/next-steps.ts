import type { CaseState } from './case.ts'

/** What comes next in a case, and whose turn it is; null where it is over. */
export interface NextStep {
  readonly who: string
  readonly what: string
  /** `keepseal case VERB ID` does it. */
  readonly verb: string | null
}

export const NEXT_STEPS: Readonly<Record<CaseState, NextStep | null>> = {
  triggered: { who: 'vendor or certifier', what: 'say whether it is one', verb: 'triage' },
  triaged: { who: 'vendor', what: 'analyse the impact', verb: 'impact' },
  'impact-analysis': { who: 'certifier', what: 'say what is assessed anew', verb: 'scope' },
  scoped: { who: 'vendor', what: 'plan the remediation, of at most 30 days', verb: 'plan' },
  remediation: { who: 'vendor', what: 'fix it, and say so', verb: 'fixed' },
  verification: { who: 'anybody but the fixer', what: 'show by fresh evidence that the fix is there', verb: 'verify' },
  'assessor-decision': { who: 'certifier', what: 'decide: close it, or ask for more', verb: 'decide' },
  'profile-change': { who: 'vendor', what: 'submit a profile version that names this case', verb: null },
  escalated: { who: 'certifier', what: 'decide about the certificate, then let the case resume', verb: 'decide' },
  dismissed: null,
  closed: null,
  ended: null,
}
