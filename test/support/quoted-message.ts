import { encodeCbor } from '../../shared/cbor/codec.ts'
import { pcrValuesToCbor } from '../../shared/evidence/tpm-evidence.ts'
import { agileLog, goodBoot } from './eventlog-builder.ts'
import { QuotingTpm } from './quoting-tpm.ts'
import { SoftwareDevice } from './software-device.ts'

export interface QuotedMessage {
  readonly bytes: Uint8Array
  /** The PCR values under its quote, as the store keeps them. */
  readonly pcrs: Uint8Array
  /** The boot log that leads to them, which it names. */
  readonly log: Uint8Array
}

/** A real evidence with a quote of a measured boot. */
export async function quotedMessage(): Promise<QuotedMessage> {
  const tpm = new QuotingTpm()
  const device = new SoftwareDevice({ tpm })
  device.reboot(goodBoot())
  const { bytes } = await device.report()
  return { bytes, pcrs: encodeCbor(pcrValuesToCbor(tpm.pcrs)), log: agileLog(goodBoot()) }
}
