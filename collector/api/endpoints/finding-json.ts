import * as v from 'valibot'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Acknowledgement, Finding } from '../../model/finding.ts'
import type { Store } from '../../store/index.ts'
import { Digest, id, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'

export const FindingCodes = v.picklist(Object.keys(findings) as FindingCode[])
export const FindingStates = v.picklist(['suspected', 'open', 'recovered', 'resolved'])

export const Severities = v.picklist(['critical', 'high', 'medium', 'low'])

export const FindingJson = v.strictObject({
  id: id('fnd'),
  deviceUeid: UeidText,
  productId: id('prd'),
  code: FindingCodes,
  title: v.string(),
  /** What to do next. */
  remedy: v.string(),
  axis: v.picklist(['integrity', 'posture', 'reporting', 'liveness']),
  severity: Severities,
  state: FindingStates,
  subject: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
  /** When it opened the last time, and the first time; how often, which is 0 while it was only suspected. */
  openedAt: Time,
  firstOpenedAt: Time,
  openings: v.number(),
  lastSeenAt: Time,
  resolvedAt: v.nullable(Time),
  /** A person knows of it and says why it may wait; null without or when it is over. */
  acknowledgement: v.nullable(v.strictObject({ by: v.string(), at: Time, until: Time, reason: v.string() })),
  /** Id of the exception by which it does not act now. */
  suppressedBy: v.nullable(id('exc')),
  /** Of the evidence that opened it the last time. */
  evidenceHash: Digest,
})

/** What holds of findings at a moment. */
export interface FindingView {
  readonly now: number
  /** By which exception: see `store.findingExceptions.overFindings`. */
  readonly suppressed: ReadonlyMap<string, string>
}

export async function viewOf(store: Store, findingIds: readonly string[], now: number): Promise<FindingView> {
  return { now, suppressed: await store.findingExceptions.overFindings(findingIds, now) }
}

export function findingJson(
  finding: Finding,
  device: { readonly ueid: Ueid; readonly productId: string },
  { now, suppressed }: FindingView,
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
    firstOpenedAt: toTime(finding.firstOpenedAt),
    openings: finding.openings,
    lastSeenAt: toTime(finding.lastSeenAt),
    resolvedAt: toTimeOrNull(finding.resolvedAt),
    acknowledgement: acknowledgementJson(finding.acknowledgement, now),
    suppressedBy: suppressed.get(finding.id) ?? null,
    evidenceHash: toHex(finding.evidenceHash),
  }
}

function acknowledgementJson(acknowledgement: Acknowledgement | null, now: number) {
  if (acknowledgement === null || acknowledgement.until <= now) return null
  const { by, at, until, reason } = acknowledgement
  return { by, at: toTime(at), until: toTime(until), reason }
}
