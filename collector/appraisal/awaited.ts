import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { BootAwaited } from '../model/device.ts'
import type { AppraisalContext } from './context.ts'

/** Each report without what was asked for was answered by a request: so many are no accident of the network. */
const MAX_REPORTS = 3

/** Whether a device had its chance to send what the collector lacks: by reports, and by time. */
export const isOverdue = (
  { since, reports }: BootAwaited,
  { receivedAt, policy }: Pick<AppraisalContext, 'receivedAt' | 'policy'>,
): boolean => reports >= MAX_REPORTS && receivedAt - since > policy.freshnessWindowMs

/** Whether rules let units differ in a PCR, so that another value says nothing before the log is here. */
export function mayVary(reference: BootReference | null, pcr: number): boolean {
  const rules = reference?.pcrs.find((each) => each.pcr === pcr)
  if (rules === undefined) return false
  return rules.isUnordered || rules.rules.some(({ isOptional, digests }) => isOptional || digests?.length !== 1)
}

/** A log that was named, asked for and never sent is a finding in the end. */
export function tellOverdueLog(context: AppraisalContext): void {
  const { bootAwaited } = context.known.state
  if (bootAwaited === null || !isOverdue(bootAwaited, context)) return
  const after = `not sent with ${bootAwaited.reports} reports, although asked for`
  context.deviations.push({ code: 'boot.log-refused', subject: 'event log', before: null, after })
}
