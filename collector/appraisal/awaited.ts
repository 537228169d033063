import type { BootAwaited } from '../model/device.ts'
import type { AppraisalContext } from './context.ts'

/** Each report without what was asked for was answered by a request: so many are no accident of the network. */
const MAX_REPORTS = 3

/** Whether a device had its chance to send what the collector lacks: by reports, and by time. */
export const isOverdue = (
  { since, reports }: BootAwaited,
  { receivedAt, policy }: Pick<AppraisalContext, 'receivedAt' | 'policy'>,
): boolean => reports >= MAX_REPORTS && receivedAt - since > policy.freshnessWindowMs
