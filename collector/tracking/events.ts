import { errors, type ErrorCode } from '../../shared/codes/errors.ts'
import { findings, type FindingCode, type Severity } from '../../shared/codes/findings.ts'
import type { Deadline } from '../../shared/decisions/cases/deadlines.ts'
import { causeOf } from '../../shared/maturity/causes.ts'
import type { ReassessmentCase } from '../model/case.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { FindingException } from '../model/exception.ts'
import type { NotificationEvent } from '../model/notification.ts'

/** What people are told of, in words. Each goes into the outbox in the transaction in which it happens. */

const about = ({ productId, ueid }: Device) => ({ productId, ueid })

/** Names the device as people know it, and as commands do. */
const nameOf = ({ vendor, model, serial, ueid }: Device): string =>
  [`${vendor} ${model}`, ...(serial === '' ? [] : [serial]), ueid].join(' ')

interface About {
  readonly code: FindingCode
  readonly subject: string
}

interface Opened extends About {
  /** As the product sees it. */
  readonly severity: Severity
  /** It has been there before. */
  readonly isAgain: boolean
}

export function findingOpened(device: Device, opened: Opened, at: number): NotificationEvent {
  const { code, subject, severity, isAgain } = opened
  const text = `${isAgain ? 'again: ' : ''}${findings[code].title}: ${subject}, on ${nameOf(device)}`
  return { kind: 'finding.opened', at, severity, code, subject, text, ...about(device) }
}

export function findingResolved(device: Device, { code, subject }: About, at: number): NotificationEvent {
  const text = `no longer: ${findings[code].title}: ${subject}, on ${nameOf(device)}`
  return { kind: 'finding.resolved', at, severity: 'low', code, subject, text, ...about(device) }
}

const SEVERITY: Readonly<Record<DeviceState['verdict'], Severity>> = {
  affirming: 'low',
  warning: 'medium',
  'not-appraised': 'medium',
  contraindicated: 'critical',
}

/** Undefined where the verdict stays what it was. */
export function verdictChanged(
  device: Device,
  before: DeviceState,
  { verdict, verdictCode: code }: DeviceState,
  at: number,
): NotificationEvent | undefined {
  if (before.verdict === verdict) return undefined
  const text = `${before.verdict} became ${verdict}: ${nameOf(device)}`
  return { kind: 'verdict.changed', at, severity: SEVERITY[verdict], code, subject: verdict, text, ...about(device) }
}

const aboutCase = ({ id, productId, cause }: ReassessmentCase) => ({ productId, ueid: null, code: cause, subject: id })

export function caseOpened(opened: ReassessmentCase): NotificationEvent {
  const { cause, trigger, severity, openedAt } = opened
  const text = `a reassessment case was opened (${trigger}): ${causeOf(cause).title}`
  return { kind: 'case.opened', at: openedAt, severity, text, ...aboutCase(opened) }
}

export function caseCritical(
  found: ReassessmentCase,
  affected: number,
  declared: number,
  at: number,
): NotificationEvent {
  const text = `a case became critical, ${affected} of ${declared} units: ${causeOf(found.cause).title}`
  return { kind: 'case.critical', at, severity: 'critical', text, ...aboutCase(found) }
}

/** Whether a duty of the law was done is not known here, and is said so. */
export function caseOverdue(found: ReassessmentCase, { title, isLegal }: Deadline, at: number): NotificationEvent {
  const note = isLegal ? ' (whether it was done is not known here; not legal advice)' : ''
  const text = `overdue: ${title}${note}: ${causeOf(found.cause).title}`
  return { kind: 'case.overdue', at, severity: found.severity, text, ...aboutCase(found) }
}

/** `count` messages could not be decided, which is nobody's fault but this software's. */
export function messagesQuarantined(
  count: number,
  { reason, ueid }: { readonly reason: string; readonly ueid: string | null },
  at: number,
): NotificationEvent {
  const which = ueid === null ? '' : `, one of them of ${ueid}`
  const text = `${count} messages could not be decided and were set aside (${reason})${which}`
  return {
    kind: 'message.quarantined',
    at,
    severity: 'high',
    productId: null,
    ueid,
    code: null,
    subject: reason,
    text,
  }
}

/** `acting`: how many findings it has covered until now, that no other exception covers. */
export function exceptionLapsed(exception: FindingException, acting: number, at: number): NotificationEvent {
  const { productId, deviceUeid: ueid, code, subject } = exception
  const { title, severity } = findings[code]
  const text = `an exception is over, and ${acting} findings act again: ${title}: ${subject}`
  return { kind: 'exception.over', at, severity, productId, ueid, code, subject, text }
}

const ofTheClock = (machine: string) => ({ productId: null, ueid: null, code: null, subject: machine })

/** The clock of a collector is a root of trust: by it evidence is fresh, late or missing. */
export function clockWrong(machine: string, what: string, at: number): NotificationEvent {
  const text = `the clock of ${machine} ${what}: set it right, or restart the collector if it is right now`
  return { kind: 'clock.wrong', at, severity: 'high', text, ...ofTheClock(machine) }
}

export function clockRight(machine: string, at: number): NotificationEvent {
  const text = `the clock of ${machine} is right again`
  return { kind: 'clock.right', at, severity: 'low', text, ...ofTheClock(machine) }
}

const ofFeed = (feed: string) => ({ productId: null, ueid: null, subject: feed })

/** What it has now was not taken, and what it had before stays in force. */
export function feedRefused(feed: string, code: ErrorCode, detail: string, at: number): NotificationEvent {
  const text = `advisories of ${feed} were not taken: ${errors[code].title}${detail === '' ? '' : ` (${detail})`}`
  return { kind: 'feed.refused', at, severity: 'high', code, text, ...ofFeed(feed) }
}

/** New advisories can be missing. */
export function feedStale(feed: string, since: number, at: number): NotificationEvent {
  const text = `advisories of ${feed} were last looked at with success on ${new Date(since).toISOString()}`
  return { kind: 'feed.stale', at, severity: 'high', code: null, text, ...ofFeed(feed) }
}

export function feedFresh(feed: string, at: number): NotificationEvent {
  return {
    kind: 'feed.fresh',
    at,
    severity: 'low',
    code: null,
    text: `advisories of ${feed} are up to date again`,
    ...ofFeed(feed),
  }
}

/** Many devices of a product have passed the same deadline at once: one event, and a finding on each of them. */
export const manyPassed = (code: FindingCode, vendor: string, model: string) => (total: number) =>
  `${findings[code].title}: ${total} devices of ${vendor} ${model} at once`
