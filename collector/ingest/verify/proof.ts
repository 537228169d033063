import { concat, equal } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import type { VerificationKey } from '../../../shared/crypto/crypto.ts'

/** Bytes of one proof. Nothing proven is all zeros, which no proof is. */
export const PROOF_BYTES = 32

/** What was found out about the two signatures of a message before it is decided. Undefined: nothing. */
export interface Proofs {
  readonly device: Uint8Array
  readonly quote: Uint8Array
}

/** Names a signature that was found valid: by which key, over what. Fixed lengths stand first, so that no two mean one. */
export function proofOf(keyName: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array {
  const lengths = new Uint8Array(12)
  const view = new DataView(lengths.buffer)
  view.setUint32(0, keyName.length)
  view.setUint32(4, message.length)
  view.setUint32(8, signature.length)
  return sha256(concat(lengths, keyName, message, signature))
}

/** The same key, which is spared what was proven: exactly that signature by this key over these bytes. */
export function sparedBy(proof: Uint8Array, keyName: Uint8Array, key: VerificationKey): VerificationKey {
  return {
    scheme: key.scheme,
    verify: (message, signature) =>
      equal(proofOf(keyName, message, signature), proof) || key.verify(message, signature),
  }
}

/** The same key, and what it has found valid. */
export function recording(
  keyName: Uint8Array,
  key: VerificationKey,
  found: (proof: Uint8Array) => void,
): VerificationKey {
  return {
    scheme: key.scheme,
    verify: (message, signature) => {
      const isValid = key.verify(message, signature)
      if (isValid) found(proofOf(keyName, message, signature))
      return isValid
    },
  }
}
