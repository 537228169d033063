import type { ObjectAttribute } from './attributes.ts'
import { CURVE_SIZE, type EccCurve } from './constants.ts'
import { ENDORSEMENT_POLICIES, type EndorsementPolicyHash } from './ek-policy.ts'
import type { EccPublicArea, PublicArea, RsaPublicArea } from './public.ts'

/**
 * The keys that a gateway's TPM is asked to make. A primary key is a function of the hierarchy's seed and of the
 * template, byte for byte: another template would be another key.
 */

/** Zero-padded on the right to `width` bytes. */
function padded(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length > width) throw new RangeError(`${bytes.length} bytes do not fit into ${width}`)
  const result = new Uint8Array(width)
  result.set(bytes)
  return result
}

/** Attributes of the default templates, TCG EK Credential Profile, annex B. */
const LOW_RANGE: readonly ObjectAttribute[] = [
  'fixedTPM',
  'fixedParent',
  'sensitiveDataOrigin',
  'adminWithPolicy',
  'restricted',
  'decrypt',
]
const HIGH_RANGE: readonly ObjectAttribute[] = [...LOW_RANGE, 'userWithAuth']

const EMPTY = new Uint8Array(0)

function lowRange() {
  return {
    nameAlg: 'sha256',
    attributes: new Set(LOW_RANGE),
    authPolicy: ENDORSEMENT_POLICIES.sha256.policyA,
    symmetric: { keyBits: 128 },
    scheme: null,
  } as const
}

function highRange(nameAlg: EndorsementPolicyHash, keyBits: 128 | 256) {
  return {
    nameAlg,
    attributes: new Set(HIGH_RANGE),
    authPolicy: ENDORSEMENT_POLICIES[nameAlg].policyB,
    symmetric: { keyBits },
    scheme: null,
  } as const
}

function rsa(
  common: Omit<RsaPublicArea, 'type' | 'keyBits' | 'exponent' | 'unique'>,
  keyBits: number,
  unique: Uint8Array,
) {
  return { type: 'rsa', ...common, keyBits, exponent: 0, unique } satisfies RsaPublicArea
}

function ecc(common: Omit<EccPublicArea, 'type' | 'curve' | 'unique'>, curve: EccCurve, coordinate: Uint8Array) {
  return { type: 'ecc', ...common, curve, unique: { x: coordinate, y: coordinate } } satisfies EccPublicArea
}

/** One default endorsement key of the TCG EK Credential Profile, and where the TPM's NV memory speaks of it. */
export interface EndorsementKeyProfile {
  /** Name of the template in the profile. */
  readonly id: 'L-1' | 'L-2' | 'H-1' | 'H-2' | 'H-3' | 'H-6'
  /** The default template: what holds where NV has neither a template nor a nonce. */
  readonly template: PublicArea
  /** NV index of the X.509 certificate. */
  readonly certificateIndex: number
  /** NV index of bytes for the template's `unique` field (`withNonce`); the high range has none. */
  readonly nonceIndex: number | null
  /** NV index of a TPMT_PUBLIC that stands in for the default template. */
  readonly templateIndex: number
}

/** Low range: the profile's `unique` is zeros at full width. High range: `unique` is empty. */
export const ENDORSEMENT_KEY_PROFILES: readonly EndorsementKeyProfile[] = [
  {
    id: 'L-1',
    template: rsa(lowRange(), 2048, new Uint8Array(256)),
    certificateIndex: 0x01c00002,
    nonceIndex: 0x01c00003,
    templateIndex: 0x01c00004,
  },
  {
    id: 'L-2',
    template: ecc(lowRange(), 'p256', new Uint8Array(32)),
    certificateIndex: 0x01c0000a,
    nonceIndex: 0x01c0000b,
    templateIndex: 0x01c0000c,
  },
  {
    id: 'H-1',
    template: rsa(highRange('sha256', 128), 2048, EMPTY),
    certificateIndex: 0x01c00012,
    nonceIndex: null,
    templateIndex: 0x01c00013,
  },
  {
    id: 'H-2',
    template: ecc(highRange('sha256', 128), 'p256', EMPTY),
    certificateIndex: 0x01c00014,
    nonceIndex: null,
    templateIndex: 0x01c00015,
  },
  {
    id: 'H-3',
    template: ecc(highRange('sha384', 256), 'p384', EMPTY),
    certificateIndex: 0x01c00016,
    nonceIndex: null,
    templateIndex: 0x01c00017,
  },
  {
    id: 'H-6',
    template: rsa(highRange('sha384', 256), 3072, EMPTY),
    certificateIndex: 0x01c0001c,
    nonceIndex: null,
    templateIndex: 0x01c0001d,
  },
]

/**
 * The template with an EK nonce in its `unique` field: the modulus, or the x coordinate, is the nonce followed by
 * zeros at full width. Throws RangeError for a nonce that is wider.
 */
export function withNonce(template: PublicArea, nonce: Uint8Array): PublicArea {
  if (template.type === 'rsa') return { ...template, unique: padded(nonce, template.keyBits / 8) }
  const width = CURVE_SIZE[template.curve]
  return { ...template, unique: { x: padded(nonce, width), y: new Uint8Array(width) } }
}

const ATTESTATION_KEY: readonly ObjectAttribute[] = [
  'fixedTPM',
  'fixedParent',
  'sensitiveDataOrigin',
  'userWithAuth',
  // A TPM in dictionary-attack lockout would refuse to quote otherwise.
  'noDA',
  'restricted',
  'sign',
]

/** `rsassa-2048` is for a TPM without P-256. */
export type AttestationKeyKind = 'ecdsa-p256' | 'rsassa-2048'

/** Bytes of the seed that tells the attestation keys of different enrolments apart. */
export const ATTESTATION_KEY_SEED_SIZE = 32

/**
 * The attestation key of one enrolment: a restricted signing key with SHA-256 and an empty authorization, made by
 * TPM2_CreatePrimary under the endorsement hierarchy. `seed` (32 bytes, stored, not secret) goes where an EK nonce
 * goes, in the shape of templates L-1 and L-2, which every TPM takes.
 */
export function attestationKeyTemplate(kind: AttestationKeyKind, seed: Uint8Array): PublicArea {
  if (seed.length !== ATTESTATION_KEY_SEED_SIZE) throw new RangeError(`attestation key seed of ${seed.length} bytes`)
  const common = {
    nameAlg: 'sha256',
    attributes: new Set(ATTESTATION_KEY),
    authPolicy: EMPTY,
    symmetric: null,
  } as const
  const template =
    kind === 'ecdsa-p256'
      ? ecc({ ...common, scheme: { scheme: 'ecdsa', hash: 'sha256' } }, 'p256', EMPTY)
      : rsa({ ...common, scheme: { scheme: 'rsassa', hash: 'sha256' } }, 2048, EMPTY)
  return withNonce(template, seed)
}
