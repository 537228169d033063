import { OutcomeError } from '../../../shared/errors.ts'
import { evidenceBinding } from '../../../shared/evidence/evidence.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { appraiseQuote, DEFAULT_QUOTE_POLICY } from '../../../shared/tpm/quote.ts'
import { isOverdue } from '../awaited.ts'
import type { AppraisalStep } from '../registry.ts'

/**
 * A device that was enrolled with a TPM has to prove itself by it each time: no quote is a failure, never a lower
 * tier. A device that was enrolled without one has no key that a quote could be checked with.
 */
export const quote: AppraisalStep = {
  id: 'quote',
  title: 'The enrolled TPM quoted these PCR values for this evidence',
  failure: 'integrity',
  run(context) {
    const { known, unverified, policy, hash } = context
    const { tpm, claims, claimsBytes } = unverified
    if (known.attestationKey === null) {
      if (tpm !== null) throw new OutcomeError('quote.unexpected')
      return
    }
    if (tpm === null) throw new OutcomeError('quote.missing')
    const { quote, failures } = appraiseQuote({
      attest: tpm.attest,
      signature: tpm.signature,
      signer: known.attestationKey,
      expectedExtraData: evidenceBinding(
        {
          nonce: claims.nonce,
          ueid: claims.ueid,
          deviceKeyThumbprint: known.device.deviceKeyThumbprint,
          collectorId: policy.collectorId,
          claimsBytes,
        },
        hash,
      ),
      pcrs: tpm.pcrs ?? known.pcrs ?? UNKNOWN_VALUES,
      policy: DEFAULT_QUOTE_POLICY,
      hash,
    })
    if (quote !== null) {
      context.quote = quote
      return
    }
    // Whoever leaves the values out is spared no other check: those come first, and a forged quote fails by them.
    const [failure] = failures
    if (failure.code !== 'quote.pcrs-missing') throw failure
    const { bootAwaited } = known.state
    if (bootAwaited !== null && context.newest && isOverdue(bootAwaited, context)) throw failure
    context.missing.pcrs = true
    context.obstacles.push('quote.pcrs-missing')
  },
}

const UNKNOWN_VALUES: PcrValues = new Map()
