import { hash } from '../../../shared/crypto/node.ts'
import { encodePcrSelection, pcrDigest, selectionOf, type PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { contentOf, type Content } from '../posture/content.ts'
import { agileLog, pcrsOf, type EventSpec } from './event-log.ts'
import { grubBoot } from './grub-boot.ts'

/** What one way of booting leaves behind. Made once, and shared by all gateways that boot so. */
export interface SimulatedBoot {
  readonly log: Content
  readonly pcrs: PcrValues
  /** Of all these PCRs, as it stands in a TPMS_ATTEST. */
  readonly selection: Uint8Array
  readonly pcrDigest: Uint8Array
}

export function bootOf(events: readonly EventSpec[]): SimulatedBoot {
  const values = [...pcrsOf(events)].map(([pcr, value]) => [pcr, new Uint8Array(value)] as const)
  const pcrs: PcrValues = new Map([['sha256', new Map(values)]])
  const selection = selectionOf(pcrs)
  return {
    log: contentOf(new Uint8Array(agileLog(events, ['sha256']))),
    pcrs,
    selection: encodePcrSelection(selection),
    pcrDigest: new Uint8Array(pcrDigest(hash, 'sha256', pcrs, selection)),
  }
}

/** Says in its first event that no firmware has ever booted so, lest anybody take a value for a measurement. */
export const releaseBoot = (kernel: string): SimulatedBoot =>
  bootOf(grubBoot({ firmware: 'SIMULATED 1.0', kernel: `SIMULATED kernel ${kernel}`, path: `/vmlinuz-${kernel}` }))

/** As `releaseBoot`, of a kernel that somebody has put in the place of the right one. */
export const tamperedBoot = (kernel: string): SimulatedBoot =>
  bootOf(grubBoot({ firmware: 'SIMULATED 1.0', kernel: 'SIMULATED foreign kernel', path: `/vmlinuz-${kernel}` }))
