import { concat } from '../bytes/bytes.ts'
import type { ByteReader } from '../bytes/reader.ts'
import { ByteWriter } from '../bytes/writer.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { attributesOf, attributesValue, type ObjectAttributes } from './attributes.ts'
import { CURVE_SIZE, curveId, curveOf, hashId, TPM_ALG, type EccCurve } from './constants.ts'
import { malformed, readHash, readWhole, refused } from './structure.ts'

/** The cipher that a storage key protects its children with. Always AES in CFB mode here. */
export interface SymmetricDefinition {
  readonly keyBits: 128 | 192 | 256
}

export type SchemeName = 'rsassa' | 'rsapss' | 'ecdsa'

/** The one signature scheme that a key is bound to. */
export interface SigningScheme {
  readonly scheme: SchemeName
  readonly hash: HashAlgorithm
}

interface CommonPublicArea {
  readonly nameAlg: HashAlgorithm
  readonly attributes: ObjectAttributes
  /** Empty, or a digest of nameAlg. */
  readonly authPolicy: Uint8Array
  readonly symmetric: SymmetricDefinition | null
  readonly scheme: SigningScheme | null
}

export interface RsaPublicArea extends CommonPublicArea {
  readonly type: 'rsa'
  readonly keyBits: number
  /** As on the wire, where 0 stands for 65537; `rsaExponent` gives the number. */
  readonly exponent: number
  /** The modulus, big-endian; in a template the bytes that seed the key. */
  readonly unique: Uint8Array
}

export interface EccPublicArea extends CommonPublicArea {
  readonly type: 'ecc'
  readonly curve: EccCurve
  /** The point, coordinates as the TPM gave them (it may drop leading zeros); in a template the seed. */
  readonly unique: { readonly x: Uint8Array; readonly y: Uint8Array }
}

/** TPMT_PUBLIC, Part 2 section 12.2.4, of an RSA or ECC key. */
export type PublicArea = RsaPublicArea | EccPublicArea

/** TPMT_SYM_DEF_OBJECT, Part 2 section 11.1.7. */
function readSymmetric(reader: ByteReader): SymmetricDefinition | null {
  const algorithm = reader.u16()
  if (algorithm === TPM_ALG.null) return null
  if (algorithm !== TPM_ALG.aes) throw refused('symmetric algorithm', algorithm)
  const keyBits = reader.u16()
  if (keyBits !== 128 && keyBits !== 192 && keyBits !== 256) throw malformed(`AES key of ${keyBits} bits`)
  const mode = reader.u16()
  if (mode !== TPM_ALG.cfb) throw refused('symmetric mode', mode)
  return { keyBits }
}

const SCHEMES: Readonly<Record<PublicArea['type'], readonly SchemeName[]>> = {
  rsa: ['rsassa', 'rsapss'],
  ecc: ['ecdsa'],
}

/** TPMT_RSA_SCHEME and TPMT_ECC_SCHEME, Part 2 sections 11.2.4.2 and 11.2.5.6. */
function readScheme(reader: ByteReader, type: PublicArea['type']): SigningScheme | null {
  const id = reader.u16()
  if (id === TPM_ALG.null) return null
  const scheme = SCHEMES[type].find((name) => TPM_ALG[name] === id)
  if (scheme === undefined) throw refused('scheme', id)
  return { scheme, hash: readHash(reader) }
}

function readRsa(reader: ByteReader, common: CommonPublicArea): RsaPublicArea {
  const keyBits = reader.u16()
  const exponent = reader.u32()
  const unique = reader.sized16()
  if (unique.length > keyBits / 8) throw malformed(`modulus of ${unique.length} bytes for ${keyBits} bits`)
  return { type: 'rsa', ...common, keyBits, exponent, unique }
}

function readEcc(reader: ByteReader, common: CommonPublicArea): EccPublicArea {
  const id = reader.u16()
  const curve = curveOf(id)
  if (curve === undefined) throw refused('curve', id)
  const kdf = reader.u16()
  if (kdf !== TPM_ALG.null) throw refused('key derivation', kdf)
  const unique = { x: reader.sized16(), y: reader.sized16() }
  if (Math.max(unique.x.length, unique.y.length) > CURVE_SIZE[curve]) throw malformed('coordinate wider than the curve')
  return { type: 'ecc', ...common, curve, unique }
}

/** Reads a TPMT_PUBLIC. */
export function readPublicArea(reader: ByteReader): PublicArea {
  const id = reader.u16()
  const type = id === TPM_ALG.rsa ? 'rsa' : id === TPM_ALG.ecc ? 'ecc' : undefined
  if (type === undefined) throw refused('object type', id)
  const nameAlg = readHash(reader)
  const attributes = attributesOf(reader.u32())
  const authPolicy = reader.sized16()
  if (authPolicy.length !== 0 && authPolicy.length !== HASH_SIZE[nameAlg]) {
    throw malformed(`policy digest of ${authPolicy.length} bytes`)
  }
  const symmetric = readSymmetric(reader)
  const common = { nameAlg, attributes, authPolicy, symmetric, scheme: readScheme(reader, type) }
  return type === 'rsa' ? readRsa(reader, common) : readEcc(reader, common)
}

/**
 * Parses a whole TPMT_PUBLIC (without a size in front).
 * Throws `tpm.malformed`, or `tpm.algorithm-refused` for another kind of key.
 */
export function parsePublicArea(bytes: Uint8Array): PublicArea {
  return readWhole(bytes, readPublicArea)
}

/** Parses a whole TPM2B_PUBLIC (Part 2 section 12.2.5), as TPM commands and tool files carry it. */
export function parsePublic(bytes: Uint8Array): PublicArea {
  return parsePublicArea(readWhole(bytes, (reader) => reader.sized16()))
}

/** TPMT_PUBLIC bytes: what a Name is computed over. */
export function encodePublicArea(area: PublicArea): Uint8Array {
  const writer = new ByteWriter()
    .u16(TPM_ALG[area.type])
    .u16(hashId(area.nameAlg))
    .u32(attributesValue(area.attributes))
    .sized16(area.authPolicy)
  if (area.symmetric === null) writer.u16(TPM_ALG.null)
  else writer.u16(TPM_ALG.aes).u16(area.symmetric.keyBits).u16(TPM_ALG.cfb)
  if (area.scheme === null) writer.u16(TPM_ALG.null)
  else writer.u16(TPM_ALG[area.scheme.scheme]).u16(hashId(area.scheme.hash))
  if (area.type === 'rsa') writer.u16(area.keyBits).u32(area.exponent).sized16(area.unique)
  else writer.u16(curveId(area.curve)).u16(TPM_ALG.null).sized16(area.unique.x).sized16(area.unique.y)
  return writer.finish()
}

/** TPM2B_PUBLIC bytes: what TPM2_CreatePrimary takes and TPM2_ReadPublic gives. */
export function encodePublic(area: PublicArea): Uint8Array {
  return new ByteWriter().sized16(encodePublicArea(area)).finish()
}

/** The public exponent (Part 2 section 12.2.3.5: zero means the default of 2^16 + 1). */
export function rsaExponent(area: RsaPublicArea): number {
  return area.exponent === 0 ? 65537 : area.exponent
}

/** The Name of a key, Part 1 section 16: nameAlg || H_nameAlg(TPMT_PUBLIC). */
export function nameOf(area: PublicArea, hash: HashFunction): Uint8Array {
  return concat(new ByteWriter().u16(hashId(area.nameAlg)).finish(), hash(area.nameAlg, encodePublicArea(area)))
}
