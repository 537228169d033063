import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { BootCoverage } from '../model/device.ts'

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7]

/** PCR 0 begins with the locality of TPM2_Startup, which is at most 4: PFP section 10.4.5.3. */
const MAX_LOCALITY = 4

/** As after a reset: all 00 (but for the locality in PCR 0), or all ff. */
function isResetValue(pcr: number, value: Uint8Array): boolean {
  const [first] = value
  if (first !== 0 && first !== 0xff) return false
  const last = value.length - 1
  const isLocality = pcr === 0 && first === 0 && (value[last] ?? 0) <= MAX_LOCALITY
  return value.every((byte, index) => byte === first || (isLocality && index === last))
}

/**
 * Which part of the boot was measured, by PCRs 0 to 7. A PCR that is still at its reset value was never extended and
 * says nothing about what booted. What extended the others is told by a proven log alone, without which the boot is
 * `partial` at most. A log tells what was measured, and not by whom: a firmware that leaves the TPM alone lets anybody
 * who runs first measure in its name.
 */
export function bootCoverageOf(pcrs: PcrValues, log: ReplayedLog | undefined): BootCoverage {
  const isExtended = (pcr: number): boolean =>
    [...pcrs.values()].some((bank) => {
      const value = bank.get(pcr)
      return value !== undefined && !isResetValue(pcr, value)
    })
  const extended = FIRMWARE_PCRS.filter(isExtended)
  if (extended.length === 0) return 'none'
  return log !== undefined && extended.length === FIRMWARE_PCRS.length ? 'measured' : 'partial'
}
