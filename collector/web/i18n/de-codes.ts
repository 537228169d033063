import { germanErrors } from '../../../shared/codes/german-errors.ts'
import { germanFindingRemedies } from '../../../shared/codes/german-finding-remedies.ts'
import { germanFindings } from '../../../shared/codes/german-findings.ts'
import { germanOutcomes } from '../../../shared/codes/german-outcomes.ts'
import { germanPractices } from '../../../shared/maturity/german-practices.ts'

type Texts = Readonly<Record<string, string>>

const of = (part: 'title' | 'remedy'): Texts =>
  Object.fromEntries(Object.entries(germanErrors).map(([code, texts]) => [code, texts[part]]))

/** Titles by code: a verdict is explained by either kind. Ids of practices are none of them, and are here for their names. */
export const deCodes: Texts = { ...of('title'), ...germanOutcomes, ...germanFindings, ...germanPractices }

/** What to do: by the code of an error, and by the English text of what is said about a finding. */
export const deRemedies: Texts = { ...of('remedy'), ...germanFindingRemedies }
