import { equal } from '../../bytes/bytes.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { OutcomeError, outcomeOf } from '../../errors.ts'
import {
  assertAttestationKey,
  attestationKeyOf,
  qualifiedName,
  qualifiedNameOfPrimary,
  type AttestationKey,
} from '../../tpm/attestation-key.ts'
import type { ObjectAttribute } from '../../tpm/attributes.ts'
import { TPM_RH_ENDORSEMENT, TPM_RH_OWNER, type EccCurve } from '../../tpm/constants.ts'
import { nameOf, type PublicArea, type SigningScheme } from '../../tpm/public.ts'
import { attestationKeyTemplate, ATTESTATION_KEY_SEED_SIZE } from '../../tpm/templates.ts'
import type { TpmSignature } from '../../tpm/signature.ts'
import { failed, failureOf, good, notAppraised, type BootPart, type BootPrimitives } from './report.ts'

/** The attestation key as a person has it: the TPM's public area, or the bare public key that a PEM file holds. */
export type BootKey =
  | { readonly kind: 'public-area'; readonly area: PublicArea }
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: number }
  | { readonly kind: 'ec'; readonly curve: EccCurve; readonly x: Uint8Array; readonly y: Uint8Array }

export interface AppraisedKey {
  readonly part: BootPart
  /** The key, or why there is none to verify with. */
  readonly signer: AttestationKey | OutcomeError
  /** Whether the quote names the key as a child of one of the endorsement keys. */
  readonly underEndorsementKey: boolean
}

/** What the quote says of its signer before anything is verified, and how it was signed. */
export interface ClaimedSigner {
  readonly qualifiedSigner: Uint8Array
  readonly signature: TpmSignature
}

/**
 * Compares the key with the signer that the quote names: a hash over the public area and its parents. Of a PEM file
 * the public areas are tried that Keepseal and tpm2_createak make. A name that fits proves nothing that the key's owner
 * did not: only enrolment (TPM2_ActivateCredential) proves that a key is in a TPM and has the attributes that are said.
 * `endorsementKeys`: public areas that the endorsement key may have.
 */
export function appraiseKey(
  key: BootKey,
  { qualifiedSigner, signature }: ClaimedSigner,
  endorsementKeys: readonly PublicArea[],
  { hash, importer }: BootPrimitives,
): AppraisedKey {
  const areas = key.kind === 'public-area' ? [key.area] : supposedAreas(key, signature)
  const [first] = areas
  if (first === undefined) {
    const refusal = new OutcomeError('tpm.algorithm-refused', `signature hash ${signature.hash}`)
    return { part: failed('key', [failureOf(refusal)]), signer: refusal, underEndorsementKey: false }
  }
  const tied = tieOf(areas, qualifiedSigner, endorsementKeys, hash)
  const area = tied?.area ?? first
  const underEndorsementKey = tied?.parent === 'the endorsement key'
  // Without a tie the quote's own word stands in for the name, which the part then says was not checked.
  const signer = outcomeOf(() => attestationKeyOf(area, qualifiedSigner, importer))
  const refusal = signer instanceof OutcomeError ? signer : outcomeOf(() => assertAttestationKey(area))
  if (refusal instanceof OutcomeError) {
    return { part: failed('key', [failureOf(refusal)]), signer: refusal, underEndorsementKey }
  }
  return { part: keyPart(key, tied?.parent, endorsementKeys.length > 0), signer, underEndorsementKey }
}

function keyPart(key: BootKey, parent: string | undefined, endorsementKeyKnown: boolean): BootPart {
  if (key.kind !== 'public-area') {
    const name = parent === undefined ? '' : `; the quote names it as a key under ${parent}`
    return notAppraised('key', false, `a PEM file tells neither attributes nor name; give the public area${name}`)
  }
  const summary = 'restricted signing key that cannot leave its TPM, by its file'
  if (parent !== undefined) return good('key', `${summary}; the quote names it as a key under ${parent}`)
  const name = endorsementKeyKnown
    ? 'its name in the quote fits neither the endorsement key nor a hierarchy'
    : 'its name in the quote fits no hierarchy; for a key under the endorsement key give --ek or --ek-certificate'
  return notAppraised('key', true, `${summary}; ${name}`)
}

interface Tie {
  readonly area: PublicArea
  readonly parent: string
}

function tieOf(
  areas: readonly PublicArea[],
  qualifiedSigner: Uint8Array,
  endorsementKeys: readonly PublicArea[],
  hash: HashFunction,
): Tie | undefined {
  const parents = endorsementKeys.map((ek) => qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, nameOf(ek, hash), hash))
  for (const area of areas) {
    const name = nameOf(area, hash)
    const is = (candidate: Uint8Array): boolean => equal(candidate, qualifiedSigner)
    if (is(qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, name, hash))) return { area, parent: 'the endorsement hierarchy' }
    if (is(qualifiedNameOfPrimary(TPM_RH_OWNER, name, hash))) return { area, parent: 'the owner hierarchy' }
    if (parents.some((parent) => is(qualifiedName(parent, name, hash)))) return { area, parent: 'the endorsement key' }
  }
  return undefined
}

/** The public areas that a bare key has if Keepseal or tpm2_createak made it. None where its scheme is refused. */
function supposedAreas(key: Exclude<BootKey, { kind: 'public-area' }>, signature: TpmSignature): PublicArea[] {
  const scheme = schemeOf(key, signature)
  if (scheme === undefined) return []
  const kind = key.kind === 'ec' ? 'ecdsa-p256' : 'rsassa-2048'
  const { attributes } = attestationKeyTemplate(kind, new Uint8Array(ATTESTATION_KEY_SEED_SIZE))
  const ofTools: ReadonlySet<ObjectAttribute> = new Set([...attributes].filter((attribute) => attribute !== 'noDA'))
  const common = { nameAlg: 'sha256', authPolicy: new Uint8Array(0), symmetric: null, scheme } as const
  return [attributes, ofTools].map((each): PublicArea => {
    if (key.kind === 'ec') {
      const { curve, x, y } = key
      return { type: 'ecc', ...common, attributes: each, curve, unique: { x, y } }
    }
    const exponent = key.exponent === 65537 ? 0 : key.exponent
    return { type: 'rsa', ...common, attributes: each, keyBits: key.modulus.length * 8, exponent, unique: key.modulus }
  })
}

/** A bare key is bound to no scheme: it is the one of the signature, as far as that is one for such a key. */
function schemeOf(key: BootKey, { scheme, hash }: TpmSignature): SigningScheme | undefined {
  if (hash !== 'sha256' && hash !== 'sha384') return undefined
  const fits = (key.kind === 'ec') === (scheme === 'ecdsa')
  return fits ? { scheme, hash } : { scheme: key.kind === 'ec' ? 'ecdsa' : 'rsassa', hash }
}
