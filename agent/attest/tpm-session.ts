import { openAttestationKey, type AttestationKeyRequest } from '../tpm/attestation-key.ts'
import type { KeyContextStore } from '../tpm/key-context.ts'
import { useEndorsementPassword } from '../tpm/commands/sessions.ts'
import { openTpm, type TransportChoice } from '../tpm/open.ts'
import type { TpmTransport } from '../tpm/tpm.ts'
import { takeQuoteWithPcrs } from '../tpm/quoting.ts'
import type { PcrSelection } from '../../shared/tpm/pcr-selection.ts'
import type { QuoteFunction } from './make-evidence.ts'

export interface TpmAccess {
  readonly tcti: string
  readonly transport: TransportChoice
  readonly key: AttestationKeyRequest
  readonly selection: PcrSelection
  readonly contexts: KeyContextStore
  /** Of the endorsement hierarchy, where it has one. */
  readonly endorsementPassword: Uint8Array | undefined
  /** Told each time by which way the TPM was reached. */
  readonly reached?: (transport: TpmTransport) => void
}

/** Opens the TPM for one quote and lets go of it again: other programs use it too. */
export function quoteWith(access: TpmAccess): QuoteFunction {
  return async (extraData) => {
    const tpm = await openTpm(access.tcti, { transport: access.transport })
    access.reached?.(tpm.transport)
    try {
      if (access.endorsementPassword !== undefined) await useEndorsementPassword(tpm, access.endorsementPassword)
      const key = await openAttestationKey(tpm, access.key, access.contexts)
      const quote = await takeQuoteWithPcrs(tpm, key, { selection: access.selection, extraData })
      await tpm.flush(key.handle)
      return quote
    } finally {
      await tpm.close()
    }
  }
}
