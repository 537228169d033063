import { equal } from '../../../shared/bytes/bytes.ts'
import type { TpmClock } from '../../model/device.ts'
import type { AppraisalContext } from '../context.ts'
import type { AppraisalStep } from '../registry.ts'

/** Counters of 32 bits that an obfuscated TPM offsets by a constant: only differences modulo 2^32 mean something. */
const wentBack = (before: number, now: number): boolean => before !== now && (now - before) >>> 0 >= 0x80000000

/**
 * TPM2_Clear sets clock and counters back while the attestation key survives it. Reset count lower, or clock lower
 * with an unchanged reset count: somebody cleared the TPM. `safe` = NO is normal after a power cut.
 */
export const tpmClock: AppraisalStep = {
  id: 'tpm-clock',
  title: "The TPM's clock and counters went forward",
  failure: 'integrity',
  run(context) {
    const before = context.known.state.tpmClock
    if (context.quote === undefined || before === null || !context.newest) return
    const { clock, resetCount, restartCount } = context.quote.clockInfo
    const cleared =
      wentBack(before.resetCount, resetCount) ||
      (before.resetCount === resetCount && (clock < before.clockMs || wentBack(before.restartCount, restartCount)))
    if (!cleared) {
      ranTooFast(context, before)
      return
    }
    if (isOfEarlierRun(context)) {
      context.newest = false
      return
    }
    context.deviations.push({
      code: 'identity.tpm-cleared',
      subject: 'tpm counters',
      before: `resets ${before.resetCount}, restarts ${before.restartCount}, clock ${before.clockMs} ms`,
      after: `resets ${resetCount}, restarts ${restartCount}, clock ${clock} ms`,
    })
  },
}

/** TPM 2.0 Part 1, section 36.2: the clock may be off by 15 %. */
const MAX_RATE = 1.15

/**
 * Between two quotes of one run the TPM's clock cannot advance by more than the time that went by, +15 %. It does when
 * somebody sets it forward (TPM2_ClockSet), or when another TPM answers. The quotes were made at any time within their
 * epochs' window, so the window is added; nothing is said where the collector's own clock went back.
 */
function ranTooFast({ quote, receivedAt, policy, deviations, known }: AppraisalContext, before: TpmClock): void {
  if (quote === undefined) return
  const { clock, resetCount, restartCount } = quote.clockInfo
  if (resetCount !== before.resetCount || restartCount !== before.restartCount) return
  const extension = known.state.freshExtended ? policy.maxExtensionMs : 0
  const atMost = receivedAt - before.observedAt + policy.freshnessWindowMs + extension
  if (receivedAt < before.observedAt || Number(clock - before.clockMs) <= atMost * MAX_RATE) return
  deviations.push({
    code: 'reporting.tpm-clock-implausible',
    subject: 'tpm clock',
    before: `${before.clockMs} ms`,
    after: `${clock} ms, at most ${atMost} ms later`,
  })
}

/**
 * Within the epoch of the newest evidence, another session whose TPM clock is behind: what an agent could not deliver
 * before it restarted. Had somebody cleared the TPM, the clock would be behind in the next epoch as well.
 */
function isOfEarlierRun({ known, unverified }: AppraisalContext): boolean {
  const { state, epoch } = known
  if (state.freshSession === null || epoch === undefined || epoch.number !== state.lastFreshEpoch) return false
  return !equal(state.freshSession, unverified.claims.session)
}
