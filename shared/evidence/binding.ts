import { utf8 } from '../bytes/bytes.ts'
import { encodeCbor } from '../cbor/codec.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import type { ProductIdentity } from './enrolment.ts'

/** Everything that one enrolment is about. All hashes and thumbprints are SHA-256, 32 bytes. */
export interface EnrolmentTerms {
  /** COSE key thumbprint of the key with which the collector signs epochs. */
  readonly collectorKeyThumbprint: Uint8Array
  /** The collector's, 32 bytes, of this enrolment alone. */
  readonly challenge: Uint8Array
  readonly deviceKeyThumbprint: Uint8Array
  /** Over the SubjectPublicKeyInfo (DER) of the TLS client key. */
  readonly tlsKeyHash: Uint8Array
  /** Name of the endorsement key as the TPM computes it; null for a device without a TPM. */
  readonly ekName: Uint8Array | null
  readonly product: ProductIdentity
  readonly tokenHash: Uint8Array
}

/**
 * What the TPM's quote (as extraData) and the device key (as payload) both sign at the end of an enrolment, 32 bytes.
 * Whoever relays another gateway's TPM can then exchange nothing around it.
 */
export function enrolmentBinding(terms: EnrolmentTerms, hash: HashFunction): Uint8Array {
  const { vendor, model, hardwareRevision, serial } = terms.product
  const bound = encodeCbor([
    'keepseal-enrol-v1',
    terms.collectorKeyThumbprint,
    terms.challenge,
    terms.deviceKeyThumbprint,
    terms.tlsKeyHash,
    terms.ekName,
    [vendor, model, hardwareRevision, serial],
    terms.tokenHash,
  ])
  return new Uint8Array(hash('sha256', bound))
}

/** What is bound in the place of a token's hash where the endorsement key stands for a token: no text has this hash. */
export const NO_TOKEN_HASH: Uint8Array = new Uint8Array(32)

/** What stands for a token wherever it is stored or bound: SHA-256 over its text, prefix included. */
export function tokenHash(token: string, hash: HashFunction): Uint8Array {
  return new Uint8Array(hash('sha256', utf8(token)))
}

/** Content type of the device's proof: a COSE_Sign1 by the device key whose payload is the binding, 32 raw bytes. */
export const ENROLMENT_PROOF_TYPE = 'application/vnd.keepseal.enrolment+cbor'

/** external_aad of the proof. The device has no UEID yet. */
export const enrolmentProofAad = (): Uint8Array => encodeCbor(['enrolment', null])
