import { toHex } from '../../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { authenticateEvidence, decodeEvidence, type DeviceKey } from '../../../shared/evidence/evidence.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { attestationKeyOf, qualifiedNameOfPrimary, type AttestationKey } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { nameOf, parsePublicArea } from '../../../shared/tpm/public.ts'
import { parseSignature, signatureBytes } from '../../../shared/tpm/signature.ts'
import { Recent } from '../../recent.ts'
import type { KeyedMessage } from './batch.ts'
import { PROOF_BYTES, proofOf, recording } from './proof.ts'

interface Keys {
  readonly device: DeviceKey
  readonly attestation: AttestationKey | null
}

/** Keys in use, imported: each worker has its own. */
export class WorkerKeys {
  readonly #recent: Recent<Keys>

  constructor(capacity: number) {
    this.#recent = new Recent(capacity)
  }

  of({ deviceKey, akPublic }: KeyedMessage): Keys {
    const name = `${toHex(deviceKey)} ${toHex(akPublic)}`
    return this.#recent.get(name) ?? this.#recent.keep(name, imported(deviceKey, akPublic))
  }
}

function imported(deviceKey: Uint8Array, akPublic: Uint8Array): Keys {
  const { hash, ed25519Key } = nodeCrypto
  const thumbprint = coseKeyThumbprint({ curve: 'Ed25519', x: deviceKey }, hash)
  const device = { key: ed25519Key(deviceKey), thumbprint }
  if (akPublic.length === 0) return { device, attestation: null }
  const area = parsePublicArea(akPublic)
  const qualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, nameOf(area, hash), hash)
  return { device, attestation: attestationKeyOf(area, qualifiedName, nodeCrypto) }
}

/**
 * Scans and decodes a message and checks its two signatures, by the very functions of the appraisal. Gives two proofs one
 * after the other, zeros for what was not found valid: that is no verdict, the appraisal looks at it itself.
 */
export function proofsOf(message: KeyedMessage, keys: WorkerKeys): Uint8Array {
  const proofs = new Uint8Array(2 * PROOF_BYTES)
  try {
    const { device, attestation } = keys.of(message)
    const evidence = decodeEvidence(message.bytes)
    const key = recording(message.deviceKey, device.key, (proof) => proofs.set(proof))
    authenticateEvidence(evidence, { ...device, key })
    if (evidence.tpm === null || attestation === null) return proofs
    const { attest, signature } = evidence.tpm
    const bytes = signatureBytes(parseSignature(signature), attestation.area)
    if (attestation.key.verify(attest, bytes)) proofs.set(proofOf(message.akPublic, attest, bytes), PROOF_BYTES)
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
  }
  return proofs
}
