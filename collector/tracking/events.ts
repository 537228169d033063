import { findings, type FindingCode, type Severity } from '../../shared/codes/findings.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { ReassessmentCase } from '../model/finding.ts'
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

export function caseOpened({ id, productId, cause, trigger, openedAt }: ReassessmentCase): NotificationEvent {
  const { title, severity } = findings[cause]
  const text = `a reassessment case was opened (${trigger}): ${title}`
  return { kind: 'case.opened', at: openedAt, severity, productId, ueid: null, code: cause, subject: id, text }
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
