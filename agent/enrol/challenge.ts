import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import { decodeCoseKey, type CoseKey } from '../../shared/cose/key.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import type { EnrolmentChallenge } from '../../shared/evidence/enrolment.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { collectorKeyOf } from '../state/identity.ts'
import type { CredentialChallenge } from '../tpm/activation.ts'

/** The collector's first answer, in usable form. */
export interface ReadChallenge {
  readonly enrolmentId: string
  /** 32 bytes. */
  readonly challenge: Uint8Array
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  readonly collectorKey: CoseKey
  readonly collectorKeyThumbprint: DeviceKey['thumbprint']
  /** Of its newest statement; 0 before the first: see shared/evidence/succession.ts. */
  readonly succession: number
  /** null: for a device without a TPM. */
  readonly credential: CredentialChallenge | null
}

/**
 * Reads all of the answer before the second call, which uses up the token. Throws KeepsealError `collector.refused`
 * for one that cannot be used.
 */
export function readChallenge(answer: EnrolmentChallenge, hasTpm: boolean): ReadChallenge {
  // A collector that asks the TPM nothing has not understood that there is one, or was made not to.
  if (hasTpm !== (answer.credential !== null)) throw unusable('its challenge does not fit this device')
  try {
    const collectorKey = decodeCoseKey(fromBase64Url(answer.collectorKey))
    return {
      enrolmentId: answer.enrolmentId,
      challenge: exactly(32, answer.challenge),
      collectorId: exactly(16, answer.collectorId),
      collectorKey,
      collectorKeyThumbprint: collectorKeyOf(collectorKey).thumbprint,
      succession: answer.succession ?? 0,
      credential:
        answer.credential === null
          ? null
          : {
              credentialBlob: fromBase64Url(answer.credential.credentialBlob),
              encryptedSecret: fromBase64Url(answer.credential.encryptedSecret),
            },
    }
  } catch (cause) {
    if (cause instanceof OutcomeError || cause instanceof RangeError) throw unusable(cause.message, cause)
    throw cause
  }
}

const unusable = (reason: string, cause?: unknown): KeepsealError =>
  new KeepsealError('collector.refused', `its challenge cannot be used: ${reason}`, {
    cause,
    remedy: 'Check that the collector is of a fitting version, and begin again with the same token.',
  })

function exactly(length: number, text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes in place of ${length}`)
  return bytes
}
