import { OutcomeError } from '../../../shared/errors.ts'
import { evidenceBinding } from '../../../shared/evidence/evidence.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { DEFAULT_QUOTE_POLICY, verifyQuote } from '../../../shared/tpm/quote.ts'
import type { BootCoverage } from '../../model/device.ts'
import type { AppraisalContext } from '../context.ts'
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
    const pcrs = tpm.pcrs ?? known.pcrs
    if (pcrs === undefined) return withoutValues(context, tpm.attest)
    context.quote = verifyQuote({
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
      pcrs,
      policy: DEFAULT_QUOTE_POLICY,
      hash,
    })
    context.bootCoverage = bootCoverageOf(context.quote.pcrs)
  },
}

/** The values of this pcrDigest are not known here: a structure that can be read, and nothing proven by it yet. */
function withoutValues(context: AppraisalContext, attest: Uint8Array): void {
  parseQuoteAttest(attest)
  context.missing.pcrs = true
  context.obstacles.push('quote.pcrs-missing')
}

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7]

/**
 * Which part of the boot the firmware measured. A PCR that is still at its reset value (all 00 or all ff) was never
 * extended and says nothing about what booted.
 */
export function bootCoverageOf(pcrs: PcrValues): BootCoverage {
  const banks = [...pcrs.values()]
  const extended = (pcr: number): boolean =>
    banks.some((bank) => {
      const value = bank.get(pcr)
      return value !== undefined && !(value.every((byte) => byte === 0) || value.every((byte) => byte === 0xff))
    })
  const count = FIRMWARE_PCRS.filter(extended).length
  if (count === 0) return 'none'
  return count === FIRMWARE_PCRS.length ? 'measured' : 'partial'
}
