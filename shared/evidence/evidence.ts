import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { encodeStrings } from '../cbor/strings.ts'
import { parseSign1, signSign1, verifySign1, type Signer, type UnverifiedSign1 } from '../cose/sign1.ts'
import type { HashFunction, VerificationKey } from '../crypto/crypto.ts'
import { claimsToCbor, type Claims } from './claims.ts'
import { decodeClaims } from './decode-claims.ts'
import { ueidFromBytes, type Ueid } from './identifiers.ts'
import { contentType, messageAad } from './roles.ts'
import { readTpmEvidence, tpmEvidenceToCbor, type TpmEvidence } from './tpm-evidence.ts'

/** Evidence as it reads. Nobody has checked that the device whose id it carries has made it. */
export interface UnverifiedEvidence {
  readonly ueid: Ueid
  readonly claims: Claims
  /** The claims as they were signed, which the quote is bound to. */
  readonly claimsBytes: Uint8Array
  readonly tpm: TpmEvidence | null
  readonly message: UnverifiedSign1
  readonly bytes: Uint8Array
}

declare const authentic: unique symbol

/** Evidence that the device's key has signed. What it says may still be wrong. Made by `authenticateEvidence` alone. */
export interface AuthenticEvidence extends UnverifiedEvidence {
  readonly [authentic]: true
}

/** Throws OutcomeError: `cbor.*`, `cose.*`, `claims.*`. */
export function decodeEvidence(bytes: Uint8Array): UnverifiedEvidence {
  const message = parseSign1(bytes)
  const payload = field(decodeCbor(message.unverifiedPayload), 'claims.malformed', 'evidence')
  const [claimsField, tpmField] = payload.tuple('claims', 'tpm')
  const claimsBytes = claimsField.bytes({ min: 1 })
  const claims = decodeClaims(claimsBytes)
  const ueid = ueidFromBytes(claims.ueid) ?? claimsField.refuse('the ueid is not of type RAND')
  const tpm = tpmField.nullable()
  return { ueid, claims, claimsBytes, tpm: tpm === null ? null : readTpmEvidence(tpm), message, bytes }
}

export interface DeviceKey {
  readonly key: VerificationKey
  /** COSE key thumbprint. */
  readonly thumbprint: Uint8Array
}

/** Throws OutcomeError `cose.*` unless the device's key has signed exactly these bytes as evidence of this device. */
export function authenticateEvidence(evidence: UnverifiedEvidence, device: DeviceKey): AuthenticEvidence {
  verifySign1(evidence.message, {
    key: device.key,
    keyId: device.thumbprint,
    externalAad: messageAad('evidence', evidence.ueid),
    contentType: contentType('evidence'),
  })
  return evidence as AuthenticEvidence
}

export const encodeClaims = (claims: Claims): Uint8Array => encodeCbor(claimsToCbor(claims))

export interface EvidenceContent {
  readonly ueid: Ueid
  readonly claimsBytes: Uint8Array
  readonly tpm: TpmEvidence | null
}

export function signEvidence({ ueid, claimsBytes, tpm }: EvidenceContent, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeCbor([claimsBytes, tpm === null ? null : tpmEvidenceToCbor(tpm)]),
    contentType: contentType('evidence'),
    externalAad: messageAad('evidence', ueid),
    signer,
  })
}

export interface EvidenceTerms {
  /** The eat_nonce: 32 bytes. */
  readonly nonce: Uint8Array
  readonly ueid: Uint8Array
  readonly deviceKeyThumbprint: Uint8Array
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  readonly claimsBytes: Uint8Array
}

/**
 * extraData of the quote in an evidence, 32 bytes: what the agent claims inherits the TPM's freshness and identity,
 * and a quote made for one collector, device or claims-set is void for every other.
 */
export function evidenceBinding(terms: EvidenceTerms, hash: HashFunction): Uint8Array {
  const claimsHash = hash('sha256', terms.claimsBytes)
  const bound = ['keepseal-evidence-v1', terms.nonce, terms.ueid, terms.deviceKeyThumbprint, terms.collectorId]
  return new Uint8Array(hash('sha256', encodeStrings([...bound, claimsHash])))
}
