import type { Period } from '../../maturity/period.ts'

/** How much a change, or a new version, asks for. The certifier says which it is. */
export const CHANGE_CLASSES = ['none', 'minor', 'major', 'emergency'] as const
export type ChangeClass = (typeof CHANGE_CLASSES)[number]

/** How long the reassessment may take in all, from the day on which its scope was set. */
export const CLASS_PERIODS: Readonly<Record<ChangeClass, { readonly title: string; readonly period: Period }>> = {
  none: { title: 'covered by the assessed patch process: notice and check', period: { workingDays: 5 } },
  minor: { title: 'desk review of what has changed', period: { days: 30 } },
  major: { title: 'reassessment of the practices in scope', period: { days: 90 } },
  emergency: { title: 'conditional cover of the urgent fix ends', period: { days: 30 } },
}

export const LEGAL_SCHEMES = ['cra-vulnerability', 'cra-incident', 'eucc'] as const
export type LegalScheme = (typeof LEGAL_SCHEMES)[number]

/** A deadline of a law or scheme. None of it is legal advice, and the product reports nothing to anybody. */
export interface LegalDeadline {
  readonly id: string
  readonly title: string
  /** What it counts from. `aware` is said by a person of the vendor. */
  readonly from: 'aware' | 'fix' | 'suspension'
  readonly period: Period | { readonly months: number }
}

/**
 * Regulation (EU) 2024/2847, Article 14: paragraphs 2 and 4. The final report on a vulnerability counts from the day on
 * which a corrective or mitigating measure is available; that on an incident here from awareness, which is earlier than
 * the law has it. Implementing Regulation (EU) 2024/482, Articles 28 to 30.
 */
export const LEGAL_DEADLINES: Readonly<Record<LegalScheme, readonly LegalDeadline[]>> = {
  'cra-vulnerability': [
    { id: 'cra-vulnerability.early-warning', title: 'early warning (CRA)', from: 'aware', period: { hours: 24 } },
    { id: 'cra-vulnerability.notification', title: 'notification (CRA)', from: 'aware', period: { hours: 72 } },
    {
      id: 'cra-vulnerability.final-report',
      title: 'final report, once a fix is out (CRA)',
      from: 'fix',
      period: { days: 14 },
    },
  ],
  'cra-incident': [
    { id: 'cra-incident.early-warning', title: 'early warning (CRA)', from: 'aware', period: { hours: 24 } },
    { id: 'cra-incident.notification', title: 'incident notification (CRA)', from: 'aware', period: { hours: 72 } },
    {
      id: 'cra-incident.final-report',
      title: 'final report on the incident (CRA)',
      from: 'aware',
      period: { months: 1 },
    },
  ],
  eucc: [
    { id: 'eucc.remedy', title: 'remedial action (EUCC)', from: 'aware', period: { days: 30 } },
    { id: 'eucc.suspension', title: 'first period of a suspension (EUCC)', from: 'suspension', period: { days: 42 } },
  ],
}
