import type { Severity } from '../../../shared/codes/findings.ts'
import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import type { ConditionState } from '../../../shared/maturity/conformity/conditions.ts'
import type { FleetAnswer } from '../../store/fleet-proof.ts'
import { dateOf, type Call } from './rule.ts'

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

type Condition<K extends ConditionState['kind']> = Extract<ConditionState, { readonly kind: K }>

const ofKind = <K extends ConditionState['kind']>(conditions: readonly ConditionState[], kind: K) =>
  conditions.filter((each): each is Condition<K> => each.kind === kind)

/** T10: a compensatory measure does not work. */
export const compensationsFail = (conditions: readonly ConditionState[]): readonly Call[] =>
  ofKind(conditions, 'limitation')
    .filter(({ state }) => state === 'uncovered')
    .map(({ id, title, measure, check, practices }) => ({
      cause: 'compensation.failing',
      subject: id,
      isOnce: false,
      releaseId: null,
      summary: `what makes up for ${id} (${title}) does not work, by ${check}`,
      details: { limitation: id, measure, check, practices },
    }))

/** T11: an assumption about the surroundings does not hold. */
export const assumptionsBreak = (conditions: readonly ConditionState[]): readonly Call[] =>
  ofKind(conditions, 'assumption')
    .filter(({ state }) => state === 'broken')
    .map(({ id, title, check, practices }) => ({
      cause: 'assumption.broken',
      subject: id,
      isOnce: false,
      releaseId: null,
      summary: `${id} (${title}) does not hold, by ${check}`,
      details: { assumption: id, check, practices },
    }))

/** An incident that people have recorded: how they call it, how bad it is, and since when it is known. */
export interface RecordedIncident {
  readonly id: string
  readonly severity: Severity
  /** Seconds since 1970. */
  readonly detectedAt: number
}

/** T9: an incident in the field. Since when somebody is aware of it, in the sense of a law, a person says. */
export const incidentsRecorded = (incidents: readonly RecordedIncident[]): readonly Call[] =>
  incidents.map(({ id, severity, detectedAt }) => ({
    cause: 'incident.reported',
    subject: id,
    isOnce: true,
    releaseId: null,
    severity,
    summary: `${id} (${severity}), detected on ${dateOf(detectedAt)}`,
    details: { incident: id, severity, detectedAt },
  }))

/** T15: units that were revoked go on reporting: their keys are still in use, by them or by somebody else. */
export function revokedKeysUsed(units: readonly string[]): readonly Call[] {
  if (units.length === 0) return []
  return [
    {
      cause: 'identity.revoked-key',
      subject: '',
      isOnce: false,
      releaseId: null,
      summary: `${units.length} units that were revoked have reported since, among them ${units[0]}`,
      details: { units: units.slice(0, SHOWN_UNITS), count: units.length },
    },
  ]
}

const SHOWN_UNITS = 10

/** In percent of the declared units. */
const COVERAGE = 95

/** T14: too few of the declared units report. A product without units has no evidence to lose. */
export function coverageIsLow({ declared, basis, shown }: Omit<FleetAnswer, 'enrolled'>): readonly Call[] {
  if (declared === 0 || shown * 100 >= COVERAGE * declared) return []
  return [
    {
      cause: 'coverage.low',
      subject: '',
      isOnce: false,
      releaseId: null,
      summary: `${shown} of ${declared} ${basis} units have reported in time, ${COVERAGE} % are wanted`,
      details: { declared, basis, reporting: shown, wantedPercent: COVERAGE },
    },
  ]
}
