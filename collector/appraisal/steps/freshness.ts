import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import type { AppraisalContext } from '../context.ts'
import type { AppraisalStep } from '../registry.ts'
import { interleavesWith } from './link.ts'

/**
 * Fresh: the nonce is of an epoch that was issued at most the window before the message arrived. The collector's clock
 * alone decides; the device's iat is never looked at. Late evidence stays authentic history.
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
    if (age < 0 || age > context.policy.freshnessWindowMs) {
      context.freshness = 'late'
      context.obstacles.push('freshness.late')
      return
    }
    context.freshness = 'fresh'
    context.newest = isNewest(context, epoch.number)
    const copy = links.freshSessions.find((other) => interleavesWith(epoch.number, links.session, other))
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
  const { state } = context.known
  if (state.lastFreshEpoch === null || epoch > state.lastFreshEpoch) return true
  if (epoch < state.lastFreshEpoch) return false
  const { session, sequence } = context.unverified.claims
  const sameSession = state.freshSession !== null && equal(state.freshSession, session)
  // Within an epoch another session is a restart; in the same session the later number is the newer state.
  return !sameSession || state.freshSequence === null || sequence > state.freshSequence
}
