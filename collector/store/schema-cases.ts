import type { Severity } from '../../shared/codes/findings.ts'
import type { CaseState } from '../../shared/decisions/cases/case.ts'
import type { CaseCause } from '../../shared/maturity/causes.ts'
import type { TriggerId } from '../../shared/maturity/triggers.ts'

/** Tables of reassessment cases: part of ./schema.ts, where the conventions stand. */
export interface CaseTables {
  reassessment_cases: ReassessmentCasesTable
  case_findings: CaseFindingsTable
  case_reminders: CaseRemindersTable
  standing_causes: StandingCausesTable
  catalogue_versions: CatalogueVersionsTable
}

export interface ReassessmentCasesTable {
  id: string
  product_id: string
  /** Of the decision log. */
  certificate_id: string
  /** Empty for none: an index takes nulls for different. */
  release_id: string
  cause: CaseCause
  subject: string
  trigger_id: TriggerId
  is_once: 0 | 1
  severity: Severity
  state: CaseState
  opened_at: number
  detected_at: number
  triage_by: number
  /** JSON. */
  facts: string
  facts_digest: Uint8Array
}

interface CaseFindingsTable {
  case_id: string
  finding_id: string
}

/** Deadlines of cases that people were told of: once each. */
interface CaseRemindersTable {
  case_id: string
  deadline: string
  /** Seconds since 1970, as the log has it. */
  due: number
  told_at: number
}

/** What calls for a case of a product under a certificate now, and has not gone since then. */
interface StandingCausesTable {
  product_id: string
  certificate_id: string
  /** Empty for none, as in cases. */
  release_id: string
  cause: CaseCause
  subject: string
  since: number
}

/** By which versions of the catalogue and its mappings practices were judged, from when on. */
interface CatalogueVersionsTable {
  used_from: number
  /** JSON: the version of each by its name. */
  versions: string
}
