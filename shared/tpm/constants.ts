import { HASH_SIZE, type HashAlgorithm } from '../crypto/crypto.ts'

/** Numbers of the TPM 2.0 Library Specification, Part 2 (Structures), under its own names. */

/** TPM_ALG_ID, Part 2 section 6.3: those that attestation meets. */
export const TPM_ALG = {
  rsa: 0x0001,
  aes: 0x0006,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const

/** TPM_GENERATED_VALUE, Part 2 section 6.2: the mark that a TPM gives to nothing but what it made itself. */
export const TPM_GENERATED_VALUE = 0xff544347

/** TPM_ST_ATTEST_QUOTE, Part 2 section 6.9. */
export const TPM_ST_ATTEST_QUOTE = 0x8018

/** TPM_ST_HASHCHECK, Part 2 section 6.9: the ticket that a restricted key wants before it signs a digest. */
export const TPM_ST_HASHCHECK = 0x8024

/** Permanent handles, Part 2 section 7.4. */
export const TPM_RH_OWNER = 0x40000001
export const TPM_RH_NULL = 0x40000007
export const TPM_RH_ENDORSEMENT = 0x4000000b

/** TPM_ECC_CURVE, Part 2 section 6.4. */
const CURVES = { p256: 0x0003, p384: 0x0004 } as const
export type EccCurve = keyof typeof CURVES

/** Width of a coordinate in bytes. */
export const CURVE_SIZE: Readonly<Record<EccCurve, number>> = { p256: 32, p384: 48 }

const HASHES = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const

/** Hashes that a TPM may keep a PCR bank of. Those beyond HashAlgorithm can be named and listed, but not computed. */
const BANKS = { ...HASHES, 'sm3-256': 0x0012, 'sha3-256': 0x0027, 'sha3-384': 0x0028, 'sha3-512': 0x0029 } as const
export type PcrBank = keyof typeof BANKS

/** Size of a PCR value in bytes. */
export const BANK_SIZE: Readonly<Record<PcrBank, number>> = {
  ...HASH_SIZE,
  'sm3-256': 32,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
}

function inverse<Name extends string>(table: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> {
  return new Map((Object.keys(table) as Name[]).map((name) => [table[name], name]))
}
const curveNames = inverse(CURVES)
const hashNames = inverse(HASHES)
const bankNames = inverse(BANKS)

export const curveId = (curve: EccCurve): number => CURVES[curve]
export const hashId = (hash: HashAlgorithm): number => HASHES[hash]
export const bankId = (bank: PcrBank): number => BANKS[bank]

/** The three look-ups answer undefined for a number that this software does not know. */
export const curveOf = (id: number): EccCurve | undefined => curveNames.get(id)
export const hashOf = (id: number): HashAlgorithm | undefined => hashNames.get(id)
export const bankOf = (id: number): PcrBank | undefined => bankNames.get(id)
