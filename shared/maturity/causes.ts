import { findings, type FindingCode, type Severity } from '../codes/findings.ts'
import { TRIGGERS, type TriggerId } from './triggers.ts'

interface CauseEntry {
  readonly trigger: TriggerId
  readonly title: string
  /** Where it weighs otherwise than its trigger. */
  readonly severity?: Severity
}

/** Causes that are no finding on a device. */
const CAUSES = {
  'release.not-assessed': { trigger: 'T2', title: 'a release is in force that the certifier has not countersigned' },
  'change.reported': { trigger: 'T2', title: 'a change was reported that has to be classified' },
  'practice.drift': { trigger: 'T3', title: 'a practice is below what the profile guarantees' },
  'practice.nonconforming': { trigger: 'T3', title: 'a practice does not conform', severity: 'critical' },
  'vulnerability.critical': { trigger: 'T4', title: 'a critical or exploited vulnerability of the product is known' },
  'analysis.missing': { trigger: 'T5', title: 'the release in force was not searched for vulnerabilities' },
  'analysis.old': { trigger: 'T5', title: 'the search for vulnerabilities is too long ago' },
  'update-key.expires-soon': { trigger: 'T6', title: 'the key that signs updates expires soon', severity: 'medium' },
  'support.ended': { trigger: 'T7', title: 'the period of support that the certificate presumes has ended' },
  'support.ends-soon': { trigger: 'T7', title: 'the period of support ends soon', severity: 'low' },
  'support.stopped': { trigger: 'T7', title: 'no update for long, while a critical vulnerability is open' },
  'document.expired': { trigger: 'T8', title: 'a document that a criterion rests on has expired' },
  'review.overdue': { trigger: 'T8', title: 'a review that was agreed is overdue' },
  'document.signer-revoked': { trigger: 'T8', title: 'who signed a document that still counts may sign no more' },
  'incident.reported': { trigger: 'T9', title: 'a security incident was reported' },
  'limitation.reported': { trigger: 'T10', title: 'a limitation is not what the profile says' },
  'compensation.failing': { trigger: 'T10', title: 'a compensatory measure does not work in the fleet' },
  'assumption.broken': { trigger: 'T11', title: 'an assumption about the environment does not hold' },
  'line.diverged': { trigger: 'T12', title: 'a member has left what the line has in common' },
  'line.unlisted': { trigger: 'T12', title: 'a device reports that is no listed product' },
  'vendor.notice': { trigger: 'T13', title: 'the vendor gave notice of a change' },
  'coverage.low': { trigger: 'T14', title: 'too few of the units report' },
  'identity.revoked-key': {
    trigger: 'T15',
    title: 'a unit that was revoked still reports by its keys',
    severity: 'high',
  },
  'certificate.expires-soon': { trigger: 'T16', title: 'the certificate ends within nine months' },
  'certificate.anniversary': { trigger: 'T16', title: 'the yearly review of the certificate is due' },
  'catalogue.changed': { trigger: 'T17', title: 'there is a new version of what the profile was assessed by' },
  'complaint.received': { trigger: 'T18', title: 'a complaint, report or request was received' },
  'obligation.missed': { trigger: 'T19', title: 'the vendor has not done what was agreed' },
} as const satisfies Record<string, CauseEntry>

export type OwnCause = keyof typeof CAUSES
export type CaseCause = OwnCause | FindingCode

export const OWN_CAUSES = Object.keys(CAUSES) as [OwnCause, ...OwnCause[]]

export interface Cause {
  readonly trigger: TriggerId
  readonly title: string
  readonly severity: Severity
}

const isOwn = (cause: CaseCause): cause is OwnCause => Object.hasOwn(CAUSES, cause)

export function causeOf(cause: CaseCause): Cause {
  if (!isOwn(cause)) {
    const { trigger, title, severity } = findings[cause]
    return { trigger: trigger as TriggerId, title, severity }
  }
  const { trigger, title, severity }: CauseEntry = CAUSES[cause]
  return { trigger, title, severity: severity ?? TRIGGERS[trigger].severity }
}

/** What people enter a case of this trigger as. */
export const INTAKE_CAUSES: Readonly<Partial<Record<TriggerId, OwnCause>>> = {
  T2: 'change.reported',
  T4: 'vulnerability.critical',
  T9: 'incident.reported',
  T10: 'limitation.reported',
  T11: 'assumption.broken',
  T13: 'vendor.notice',
  T17: 'catalogue.changed',
  T18: 'complaint.received',
  T19: 'obligation.missed',
}
