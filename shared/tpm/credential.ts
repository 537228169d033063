import { concat, utf8 } from '../bytes/bytes.ts'
import { ByteWriter } from '../bytes/writer.ts'
import {
  HASH_SIZE,
  type CredentialPrimitives,
  type HashAlgorithm,
  type HashFunction,
  type HmacFunction,
  type RandomFunction,
} from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { assertName } from './attestation-key.ts'
import type { ObjectAttribute } from './attributes.ts'
import { assertRsaKey } from './key.ts'
import { rsaExponent, type PublicArea, type SymmetricDefinition } from './public.ts'
import { atCurveWidth } from './signature.ts'

/** A label as both key derivation functions and OAEP take it: text with its terminating zero. */
const label = (text: string): Uint8Array => utf8(`${text}\0`)

function expand(bytes: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  let derived = new Uint8Array(0)
  for (let counter = 1; derived.length < bytes; counter++) {
    derived = Uint8Array.from(concat(derived, block(new ByteWriter().u32(counter).finish())))
  }
  return derived.subarray(0, bytes)
}

/** KDFa, Part 1 section 11.4.10.2 (NIST SP 800-108, counter mode, HMAC). `bytes`: length of the result. */
export function kdfa(
  hmac: HmacFunction,
  hash: HashAlgorithm,
  key: Uint8Array,
  use: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bytes: number,
): Uint8Array {
  const bits = new ByteWriter().u32(bytes * 8).finish()
  return expand(bytes, (counter) => hmac(hash, key, concat(counter, label(use), contextU, contextV, bits)))
}

/** KDFe, Part 1 section 11.4.10.3 (NIST SP 800-56A, concatenation). `bytes`: length of the result. */
export function kdfe(
  hash: HashFunction,
  algorithm: HashAlgorithm,
  z: Uint8Array,
  use: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bytes: number,
): Uint8Array {
  return expand(bytes, (counter) => hash(algorithm, concat(counter, z, label(use), partyU, partyV)))
}

const REQUIRED: readonly ObjectAttribute[] = ['restricted', 'decrypt', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin']

/**
 * Whether a public area can be an endorsement key: a storage key that opens nothing but what is meant for its TPM.
 * That it is one of a real TPM is for its certificate to say. Throws `tpm.key-attributes` or `tpm.algorithm-refused`.
 */
export function assertEndorsementKey(
  area: PublicArea,
): asserts area is PublicArea & { readonly symmetric: SymmetricDefinition } {
  for (const attribute of REQUIRED) {
    if (!area.attributes.has(attribute)) throw new OutcomeError('tpm.key-attributes', `${attribute} is not set`)
  }
  if (area.attributes.has('sign')) throw new OutcomeError('tpm.key-attributes', 'sign is set')
  if (area.symmetric === null) throw new OutcomeError('tpm.key-attributes', 'no symmetric algorithm')
  if (area.nameAlg === 'sha1') throw new OutcomeError('tpm.algorithm-refused', 'nameAlg sha1')
}

/** A fresh seed that the holder of the endorsement key alone can recover: Part 1 sections B.10.4 and C.6.4. */
function shareSeed(ek: PublicArea, primitives: CredentialPrimitives, random: RandomFunction) {
  const size = HASH_SIZE[ek.nameAlg]
  if (ek.type === 'rsa') {
    assertRsaKey(ek)
    const seed = random(size)
    const encrypted = primitives.rsaOaepEncrypt(ek.unique, rsaExponent(ek), ek.nameAlg, label('IDENTITY'), seed)
    return { seed, encrypted }
  }
  const { x, y } = ek.unique
  const ephemeral = primitives.ecdhEphemeral(ek.curve, atCurveWidth(x, ek.curve), atCurveWidth(y, ek.curve))
  // The TPM feeds its own stored coordinate into the derivation: the one of the public area, padded or not.
  const seed = kdfe(primitives.hash, ek.nameAlg, ephemeral.z, 'IDENTITY', ephemeral.x, x, size)
  return { seed, encrypted: new ByteWriter().sized16(ephemeral.x).sized16(ephemeral.y).finish() }
}

export interface CredentialRequest {
  readonly ek: PublicArea
  /** Name of the key that must be in the same TPM for the secret to come out. */
  readonly akName: Uint8Array
  /** 1 byte up to the digest size of the endorsement key's nameAlg. */
  readonly secret: Uint8Array
  readonly primitives: CredentialPrimitives
  readonly random: RandomFunction
}

export interface Credential {
  /** TPM2B_ID_OBJECT, with its size. */
  readonly credentialBlob: Uint8Array
  /** TPM2B_ENCRYPTED_SECRET, with its size. */
  readonly encryptedSecret: Uint8Array
}

/**
 * TPM2_MakeCredential in software, Part 1 section 24: only a TPM that holds both the endorsement key and the object
 * named `akName` gives the secret back (TPM2_ActivateCredential).
 * Throws RangeError for a secret of the wrong length, and OutcomeError `tpm.key-attributes`, `tpm.algorithm-refused`,
 * `tpm.key-invalid` or `tpm.malformed` for a key or name that cannot be used.
 */
export function makeCredential({ ek, akName, secret, primitives, random }: CredentialRequest): Credential {
  assertEndorsementKey(ek)
  assertName(akName)
  const { nameAlg } = ek
  const size = HASH_SIZE[nameAlg]
  if (secret.length === 0 || secret.length > size) throw new RangeError(`a secret of ${secret.length} bytes`)

  const { hmac } = primitives
  const none = new Uint8Array(0)
  const { seed, encrypted } = shareSeed(ek, primitives, random)
  const cipherKey = kdfa(hmac, nameAlg, seed, 'STORAGE', akName, none, ek.symmetric.keyBits / 8)
  const identity = primitives.aesCfbEncrypt(cipherKey, new Uint8Array(16), new ByteWriter().sized16(secret).finish())
  const macKey = kdfa(hmac, nameAlg, seed, 'INTEGRITY', none, none, size)
  const integrity = hmac(nameAlg, macKey, concat(identity, akName))
  const idObject = new ByteWriter().sized16(integrity).bytes(identity).finish()
  return {
    credentialBlob: new ByteWriter().sized16(idObject).finish(),
    encryptedSecret: new ByteWriter().sized16(encrypted).finish(),
  }
}
