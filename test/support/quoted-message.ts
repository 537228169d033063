import { encodeCbor } from '../../shared/cbor/codec.ts'
import { pcrValuesToCbor } from '../../shared/evidence/tpm-evidence.ts'
import { QuotingTpm } from './quoting-tpm.ts'
import { SoftwareDevice } from './software-device.ts'

/** A real evidence with a quote, and the PCR values under it as the store keeps them. */
export async function quotedMessage(): Promise<{ readonly bytes: Uint8Array; readonly pcrs: Uint8Array }> {
  const tpm = new QuotingTpm()
  const { bytes } = await new SoftwareDevice({ tpm }).report()
  return { bytes, pcrs: encodeCbor(pcrValuesToCbor(tpm.pcrs)) }
}
