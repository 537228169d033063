import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { AppraisalContext } from '../context.ts'
import { downtimeBetween } from '../../liveness/downtime.ts'
import type { AppraisalStep } from '../registry.ts'
import { interleavesWith, isStillRunning } from './link.ts'

/**
 * Fresh: the nonce is of an epoch that was issued at most the window before the message arrived. The collector's clock
 * alone decides; the device's iat is never looked at. While the collector was down it could take nothing and issue
 * nothing: that time extends the window, within a bound, and is said of what was fresh by it. Late evidence stays authentic history.
 */
export const freshness: AppraisalStep = {
  id: 'freshness',
  title: 'The evidence was made after a recent epoch began',
  failure: 'integrity',
  run(context) {
    const { epoch, state, links } = context.known
    if (epoch === undefined) {
      context.freshness = 'unknown-epoch'
      context.obstacles.push('freshness.unknown-epoch')
      return
    }
    const age = context.receivedAt - epoch.issuedAt
    const { freshnessWindowMs, maxExtensionMs, downtime } = context.policy
    const isLate = age > freshnessWindowMs
    const extension = isLate
      ? Math.min(maxExtensionMs, downtimeBetween(downtime, epoch.issuedAt, context.receivedAt))
      : 0
    if (age < 0 || age > freshnessWindowMs + extension) {
      context.freshness = 'late'
      context.obstacles.push('freshness.late')
      return
    }
    context.freshness = 'fresh'
    context.freshnessExtended = isLate
    context.newest = isNewest(context, epoch.number)
    const copy = links.freshSessions.find(
      (other) => interleavesWith(epoch.number, links.session, other) && isStillRunning(other, links.session),
    )
    if (copy === undefined || state.freshSession === null) return
    const sessions = [copy.session, context.unverified.claims.session].map((id) => toHex(id).slice(0, 16))
    context.deviations.push({
      code: 'identity.clone',
      subject: 'interleaved sessions',
      before: `session ${sessions[0]}`,
      after: `session ${sessions[1]}`,
    })
  },
}

function isNewest(context: AppraisalContext, epoch: number): boolean {
  const { state, links } = context.known
  if (state.lastFreshEpoch === null || epoch > state.lastFreshEpoch) return true
  if (epoch < state.lastFreshEpoch) return false
  const { session, sequence } = context.unverified.claims
  const isRunning = state.freshSession !== null && equal(state.freshSession, session)
  // In one session the later number is the newer state.
  if (isRunning) return state.freshSequence === null || sequence > state.freshSequence
  // Within an epoch another session is a restart, unless it was fresh before: then it is the one that has ended, and
  // this is what it had not delivered. The TPM's clock tells of one that was never heard of: see ./tpm-clock.ts.
  return links.session === undefined || links.session.lastEpoch === null
}
