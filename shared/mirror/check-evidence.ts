import { toHex } from '../bytes/bytes.ts'
import { coseKeyThumbprint } from '../cose/key.ts'
import type { HashFunction, PublicKeyImporter, VerificationKey } from '../crypto/crypto.ts'
import { OutcomeError, outcomeOf } from '../errors.ts'
import { authenticateEvidence, evidenceBinding, type UnverifiedEvidence } from '../evidence/evidence.ts'
import { TPM_RH_ENDORSEMENT } from '../tpm/constants.ts'
import { attestationKeyOf, qualifiedNameOfPrimary, type AttestationKey } from '../tpm/attestation-key.ts'
import { nameOf, parsePublicArea } from '../tpm/public.ts'
import { appraiseQuote, DEFAULT_QUOTE_POLICY } from '../tpm/quote.ts'
import type { MirroredEnrolment } from './enrolment.ts'

export interface MirrorCrypto extends PublicKeyImporter {
  readonly hash: HashFunction
  readonly ed25519Key: (x: Uint8Array) => VerificationKey
}

/** Keys of one enrolment, imported. */
export interface EnrolledKeys {
  readonly device: VerificationKey
  readonly thumbprint: Uint8Array
  /** null: a device without a TPM; an error: a key that proves nothing. */
  readonly attestation: AttestationKey | OutcomeError | null
}

/** Throws OutcomeError for a device key that is none. */
export function importKeys({ deviceKey, akPublic }: MirroredEnrolment, crypto: MirrorCrypto): EnrolledKeys {
  const { hash } = crypto
  const attestation = (bytes: Uint8Array): AttestationKey => {
    const area = parsePublicArea(bytes)
    return attestationKeyOf(area, qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, nameOf(area, hash), hash), crypto)
  }
  return {
    device: crypto.ed25519Key(deviceKey),
    thumbprint: coseKeyThumbprint({ curve: 'Ed25519', x: deviceKey }, hash),
    attestation: akPublic === null ? null : outcomeOf(() => attestation(akPublic)),
  }
}

export type QuoteStanding = 'good' | 'failed' | 'none'

/** The values travel only when they are new, so the digest in the quote stands for them here. */
const WITHOUT_VALUES: ReadonlySet<string> = new Set(['quote.pcrs-missing', 'quote.pcr-digest-mismatch'])

/**
 * Whether a device signed it, and its TPM the quote in it. Throws OutcomeError `cose.*` unless the device's key has
 * signed; a quote that fails is a fact about the device, which its collector has to have seen as well.
 */
export function checkEvidence(
  evidence: UnverifiedEvidence,
  keys: EnrolledKeys,
  collectorId: Uint8Array,
  hash: HashFunction,
): { readonly quote: QuoteStanding; readonly code: string | null } {
  authenticateEvidence(evidence, { key: keys.device, thumbprint: keys.thumbprint })
  const { tpm, claims, claimsBytes } = evidence
  if (keys.attestation === null) return { quote: 'none', code: null }
  if (tpm === null) return { quote: 'failed', code: 'quote.missing' }
  const { failures } = appraiseQuote({
    attest: tpm.attest,
    signature: tpm.signature,
    signer: keys.attestation,
    expectedExtraData: evidenceBinding(
      {
        nonce: claims.nonce,
        ueid: claims.ueid,
        deviceKeyThumbprint: keys.thumbprint,
        collectorId,
        claimsBytes,
      },
      hash,
    ),
    pcrs: tpm.pcrs ?? new Map(),
    policy: DEFAULT_QUOTE_POLICY,
    hash,
  })
  const failure = failures.find(({ code }) => tpm.pcrs !== null || !WITHOUT_VALUES.has(code))
  return failure === undefined ? { quote: 'good', code: null } : { quote: 'failed', code: failure.code }
}

/** The keys with which a message says to be signed: a device may have had several. */
export const keysFor = (keys: readonly EnrolledKeys[], keyId: Uint8Array): EnrolledKeys | undefined =>
  keys.find(({ thumbprint }) => toHex(thumbprint) === toHex(keyId))
