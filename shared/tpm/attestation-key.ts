import { concat } from '../bytes/bytes.ts'
import { ByteReader } from '../bytes/reader.ts'
import { ByteWriter } from '../bytes/writer.ts'
import { HASH_SIZE, type HashFunction, type PublicKeyImporter, type VerificationKey } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import type { ObjectAttribute } from './attributes.ts'
import { hashId, hashOf } from './constants.ts'
import { verificationKeyOf } from './key.ts'
import type { PublicArea } from './public.ts'
import { malformed } from './structure.ts'

/** The content of a Name: Part 2 section 10.5, nameAlg || digest. Throws `tpm.malformed` for anything else. */
export function assertName(name: Uint8Array): void {
  const nameAlg = name.length < 2 ? undefined : hashOf(new ByteReader(name).u16())
  if (nameAlg === undefined || name.length !== 2 + HASH_SIZE[nameAlg]) throw malformed(`a name of ${name.length} bytes`)
}

/**
 * Part 1 section 16, "Qualified Name": nameAlg || H_nameAlg(qualified name of the parent || name), by the nameAlg of
 * the object itself. It tells which hierarchy and which parents an object hangs from.
 */
export function qualifiedName(parentQualifiedName: Uint8Array, name: Uint8Array, hash: HashFunction): Uint8Array {
  assertName(name)
  const nameAlg = hashOf(new ByteReader(name).u16())
  if (nameAlg === undefined) throw malformed('a name without a known hash')
  return concat(new ByteWriter().u16(hashId(nameAlg)).finish(), hash(nameAlg, concat(parentQualifiedName, name)))
}

/** The qualified name of a primary object: its parent is the hierarchy, whose qualified name is its handle. */
export function qualifiedNameOfPrimary(hierarchyHandle: number, name: Uint8Array, hash: HashFunction): Uint8Array {
  return qualifiedName(new ByteWriter().u32(hierarchyHandle).finish(), name, hash)
}

const REQUIRED: readonly ObjectAttribute[] = ['restricted', 'sign', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin']
/** A decryption key would answer chosen ciphertexts; the others say that the key can leave or lose its TPM. */
const FORBIDDEN: readonly ObjectAttribute[] = ['decrypt', 'stClear', 'encryptedDuplication', 'x509sign']

/**
 * Whether a public area is one that only signs what its TPM itself says. Without `restricted` it would sign a forged
 * attestation. Throws `tpm.key-attributes` or `tpm.algorithm-refused`.
 */
export function assertAttestationKey(area: PublicArea): void {
  for (const attribute of REQUIRED) {
    if (!area.attributes.has(attribute)) throw new OutcomeError('tpm.key-attributes', `${attribute} is not set`)
  }
  for (const attribute of FORBIDDEN) {
    if (area.attributes.has(attribute)) throw new OutcomeError('tpm.key-attributes', `${attribute} is set`)
  }
  if (area.symmetric !== null) throw new OutcomeError('tpm.key-attributes', 'a signing key with a symmetric algorithm')
  if (area.nameAlg === 'sha1') throw new OutcomeError('tpm.algorithm-refused', 'nameAlg sha1')
  if (area.scheme === null) throw new OutcomeError('tpm.algorithm-refused', 'no signature scheme')
}

declare const checked: unique symbol

/** A public area that passed `assertAttestationKey`, imported. Made by `attestationKeyOf` alone. */
export interface AttestationKey {
  readonly area: PublicArea
  readonly key: VerificationKey
  /** What a quote by this key names as its signer. */
  readonly qualifiedName: Uint8Array
  readonly [checked]: true
}

/**
 * Checks and imports an attestation key.
 * Throws `tpm.key-attributes`, `tpm.algorithm-refused`, `tpm.key-invalid` or `tpm.malformed`.
 */
export function attestationKeyOf(
  area: PublicArea,
  qualifiedName: Uint8Array,
  importer: PublicKeyImporter,
): AttestationKey {
  assertAttestationKey(area)
  assertName(qualifiedName)
  return { area, key: verificationKeyOf(area, importer), qualifiedName } as AttestationKey
}
