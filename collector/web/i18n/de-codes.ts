import { germanFindings } from '../../../shared/codes/german-findings.ts'
import { germanOutcomes } from '../../../shared/codes/german-outcomes.ts'

/** Titles by code: a verdict is explained by either kind. */
export const deCodes: Readonly<Record<string, string>> = { ...germanOutcomes, ...germanFindings }
