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
  /** SHA-256 of the certificate (DER) of the IDevID that the device shows; null where it shows none. */
  readonly idevidCertificateHash: Uint8Array | null
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
    // Without an IDevID it is the array of agents that know of none: its length says so, and is bound as all of it is.
    ...(terms.idevidCertificateHash === null ? [] : [terms.idevidCertificateHash]),
  ])
  return new Uint8Array(hash('sha256', bound))
}

/**
 * What the key of the IDevID signs, 54 bytes. Such a key signs whatever it is given, so the text says what it is for: it begins as no TPMS_ATTEST, certificate, COSE or TLS structure does, and a signature over
 * it is good for nothing else.
 */
export function idevidStatement(binding: Uint8Array): Uint8Array {
  return encodeCbor(['keepseal-idevid-v1', binding])
}

/** What is bound in the place of a token's hash where a registered key stands for a token: no text has this hash. */
export const NO_TOKEN_HASH: Uint8Array = new Uint8Array(32)

/** What stands for a token wherever it is stored or bound: SHA-256 over its text, prefix included. */
export function tokenHash(token: string, hash: HashFunction): Uint8Array {
  return new Uint8Array(hash('sha256', utf8(token)))
}

/** Content type of the device's proof: a COSE_Sign1 by the device key whose payload is the binding, 32 raw bytes. */
export const ENROLMENT_PROOF_TYPE = 'application/vnd.keepseal.enrolment+cbor'

/** external_aad of the proof. The device has no UEID yet. */
export const enrolmentProofAad = (): Uint8Array => encodeCbor(['enrolment', null])
