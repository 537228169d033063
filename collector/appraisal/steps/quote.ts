import { OutcomeError } from '../../../shared/errors.ts'
import { evidenceBinding } from '../../../shared/evidence/evidence.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { appraiseQuote, DEFAULT_QUOTE_POLICY } from '../../../shared/tpm/quote.ts'
import type { BootCoverage } from '../../model/device.ts'
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
      context.bootCoverage = bootCoverageOf(quote.pcrs)
      return
    }
    // Whoever leaves the values out is spared no other check: those come first, and a forged quote fails by them.
    const [failure] = failures
    if (failure.code !== 'quote.pcrs-missing') throw failure
    context.missing.pcrs = true
    context.obstacles.push('quote.pcrs-missing')
  },
}

const UNKNOWN_VALUES: PcrValues = new Map()

/** All 00, or all ff. */
function isResetValue(value: Uint8Array): boolean {
  const [first] = value
  if (first !== 0 && first !== 0xff) return false
  for (const byte of value) if (byte !== first) return false
  return true
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
      return value !== undefined && !isResetValue(value)
    })
  const count = FIRMWARE_PCRS.filter(extended).length
  if (count === 0) return 'none'
  return count === FIRMWARE_PCRS.length ? 'measured' : 'partial'
}
