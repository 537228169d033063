import { assessingForms } from './assessing-forms.ts'
import type { CaseForm } from './case-fields.ts'
import { mendingForms } from './mending-forms.ts'

const { triage, impact, plan, fixed, aware } = mendingForms
const { scope, verify, decide, escalate } = assessingForms

/** In the order in which they come. */
export const CASE_FORMS: readonly CaseForm[] = [triage, impact, scope, plan, fixed, verify, decide, escalate, aware]
