import * as v from 'valibot'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Finding } from '../../model/finding.ts'
import { Digest, id, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'

export const FindingCodes = v.picklist(Object.keys(findings) as FindingCode[])
export const FindingStates = v.picklist(['suspected', 'open', 'recovered', 'resolved'])

export const FindingJson = v.strictObject({
  id: id('fnd'),
  deviceUeid: UeidText,
  productId: id('prd'),
  code: FindingCodes,
  title: v.string(),
  /** What to do next. */
  remedy: v.string(),
  axis: v.picklist(['integrity', 'posture', 'reporting', 'liveness']),
  severity: v.picklist(['critical', 'high', 'medium', 'low']),
  state: FindingStates,
  subject: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
  openedAt: Time,
  lastSeenAt: Time,
  resolvedAt: v.nullable(Time),
  /** Of the evidence that opened it. */
  evidenceHash: Digest,
})

export function findingJson(
  finding: Finding,
  device: { readonly ueid: Ueid; readonly productId: string },
): v.InferOutput<typeof FindingJson> {
  const { title, remedy, axis } = findings[finding.code]
  return {
    id: finding.id,
    deviceUeid: device.ueid,
    productId: device.productId,
    code: finding.code,
    title,
    remedy: remedy.replaceAll('UEID', device.ueid),
    axis,
    severity: finding.severity,
    state: finding.state,
    subject: finding.subject,
    before: finding.before,
    after: finding.after,
    openedAt: toTime(finding.openedAt),
    lastSeenAt: toTime(finding.lastSeenAt),
    resolvedAt: toTimeOrNull(finding.resolvedAt),
    evidenceHash: toHex(finding.evidenceHash),
  }
}
