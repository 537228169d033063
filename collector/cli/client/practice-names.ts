import { KeepsealError } from '../../../shared/errors.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'

/** Short enough for a table of 80 columns, and for a command line. */
const SHORT: Readonly<Record<PracticeId, string>> = {
  'security-program-management': 'program',
  'compliance-management': 'compliance',
  'threat-modeling': 'threats',
  'risk-attitude': 'risk',
  'supply-chain-risk-management': 'supply',
  'third-party-dependencies-management': 'third-parties',
  'establishing-and-maintaining-identities': 'identity',
  'access-control': 'access',
  'asset-change-and-configuration-management': 'configuration',
  'physical-protection': 'physical',
  'protection-model-and-policy-for-data': 'data-policy',
  'implementation-of-data-protection-controls': 'data',
  'vulnerability-assessment': 'vulnerability',
  'patch-management': 'patch',
  'monitoring-practice': 'monitoring',
  'situation-awareness-and-information-sharing': 'awareness',
  'event-detection-and-response-plan': 'response',
  'remediation-recovery-and-continuity-of-operations': 'recovery',
}

export const shortName = (practice: string): string => SHORT[practice as PracticeId] ?? practice

/** By its id or its short name. Error: usage.invalid. */
export function practiceOf(name: string): PracticeId {
  const found = PRACTICE_IDS.find((practice) => practice === name || SHORT[practice] === name)
  if (found !== undefined) return found
  throw new KeepsealError('usage.invalid', `no practice: ${name}; one of ${Object.values(SHORT).join(', ')}`)
}
