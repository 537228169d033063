import type { Severity } from '../../../shared/codes/findings.ts'
import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import type { FleetAnswer } from '../../store/fleet-proof.ts'
import type { Call } from './rule.ts'

/** How a practice is kept in the fleet. */
type Conformity = 'conforming' | 'at-risk' | 'drift' | 'nonconforming' | 'unknown'

/** That the conformity of a practice became another one. */
export interface ConformityChange {
  readonly practice: PracticeId
  /** null: it was never evaluated before. */
  readonly from: Conformity | null
  readonly to: Conformity
  /** Which signal, on what part of the fleet: the explanation in words. */
  readonly why: string
}

/** T3: a case at drift, not before: `at-risk` is shown, and is no case. */
export function practiceDrifts({ practice, from, to, why }: ConformityChange): readonly Call[] {
  if (to !== 'drift' && to !== 'nonconforming') return []
  return [
    {
      cause: to === 'drift' ? 'practice.drift' : 'practice.nonconforming',
      subject: practice,
      isOnce: false,
      releaseId: null,
      summary: `${PRACTICES[practice].name}: ${from === null ? 'is' : `${from} became`} ${to}: ${why}`,
      details: { practice, from, to, why },
    },
  ]
}

/** An advisory about something that the product contains. */
export interface MatchedAdvisory {
  readonly id: string
  readonly severity: Severity
  readonly isExploited: boolean
  /** The vendor has said that the product is not affected. */
  readonly isRefuted: boolean
  /** Release that contains it, where it is known. */
  readonly releaseId: string | null
  readonly hasFix: boolean
}

/** T4: a critical or exploited vulnerability of the product. Whether a law asks for a report, a person decides. */
export const vulnerabilitiesKnown = (advisories: readonly MatchedAdvisory[]): readonly Call[] =>
  advisories
    .filter(({ severity, isExploited, isRefuted }) => !isRefuted && (isExploited || severity === 'critical'))
    .map(({ id, severity, isExploited, releaseId, hasFix }) => ({
      cause: 'vulnerability.critical',
      subject: id,
      isOnce: true,
      releaseId,
      severity: 'critical',
      summary: `${id} (${severity}${isExploited ? ', exploited' : ''})${isExploited ? ': possible duty to report, assess now' : ''}`,
      details: { advisory: id, severity, isExploited, hasFix },
    }))

/** A measure that makes up for a limitation, and how its own check ends. */
export interface CompensationCheck {
  readonly limitation: string
  readonly measure: string
  readonly holds: boolean
  readonly why: string
}

/** T10: a compensatory measure does not work. */
export const compensationsFail = (checks: readonly CompensationCheck[]): readonly Call[] =>
  checks
    .filter(({ holds }) => !holds)
    .map(({ limitation, measure, why }) => ({
      cause: 'compensation.failing',
      subject: `${limitation} ${measure}`,
      isOnce: false,
      releaseId: null,
      summary: `${measure}, which makes up for ${limitation}: ${why}`,
      details: { limitation, measure, why },
    }))

/** In percent of the declared units. */
const COVERAGE = 95

/** T14: too few of the declared units report. A product without units has no evidence to lose. */
export function coverageIsLow({ declared, shown }: FleetAnswer): readonly Call[] {
  if (declared === 0 || shown * 100 >= COVERAGE * declared) return []
  return [
    {
      cause: 'coverage.low',
      subject: '',
      isOnce: false,
      releaseId: null,
      summary: `${shown} of ${declared} units have reported in time, ${COVERAGE} % are wanted`,
      details: { declared, reporting: shown, wantedPercent: COVERAGE },
    },
  ]
}
