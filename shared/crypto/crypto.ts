/**
 * The cryptographic seam. `shared/` computes nothing by itself: Node passes in node:crypto (./node.ts), a browser
 * passes in @noble. Both must give the same verdict on the same bytes; the Wycheproof vectors are run on both.
 */

/** Digest algorithms by their lower-case names, as TPM banks use them. */
export type HashAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** Digest size in bytes. */
export const HASH_SIZE: Readonly<Record<HashAlgorithm, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

export type HashFunction = (algorithm: HashAlgorithm, data: Uint8Array) => Uint8Array

/** HMAC of `data` under `key`. */
export type HmacFunction = (algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array) => Uint8Array

/** Constant-time equality, for secrets and authentication codes. */
export type EqualFunction = (a: Uint8Array, b: Uint8Array) => boolean

/** A cryptographically secure source. Passed in, so that vectors with fixed randomness can be checked. */
export type RandomFunction = (length: number) => Uint8Array

/**
 * A public key that is bound to one signature algorithm and has been imported once. `verify` returns false for any
 * signature that is wrong in any way, and never throws on the content of its arguments.
 * Signatures: Ed25519 64 bytes (RFC 8032); ECDSA r || s at fixed width; RSA as long as the modulus.
 */
export interface VerificationKey {
  readonly scheme: SignatureScheme
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

export type SignatureScheme =
  | 'ed25519'
  | `ecdsa-p256-${'sha256' | 'sha384'}`
  | `ecdsa-p384-${'sha256' | 'sha384'}`
  | `rsassa-${'sha256' | 'sha384'}`
  | `rsapss-${'sha256' | 'sha384'}`

/** Imports public keys. Throws OutcomeError `tpm.key-invalid` for numbers that are no key of the kind. */
export interface PublicKeyImporter {
  /** `x`, `y`: coordinates at full field width. */
  ecdsaKey(curve: 'p256' | 'p384', digest: 'sha256' | 'sha384', x: Uint8Array, y: Uint8Array): VerificationKey
  /** `n`: modulus, big-endian. `e`: public exponent. */
  rsaKey(padding: 'rsassa' | 'rsapss', digest: 'sha256' | 'sha384', n: Uint8Array, e: number): VerificationKey
}

/**
 * What encrypting to a TPM's endorsement key takes, besides hash and HMAC. Both public-key operations throw
 * OutcomeError `tpm.key-invalid` for numbers that are no key.
 */
export interface CredentialPrimitives {
  readonly hash: HashFunction
  readonly hmac: HmacFunction
  /** RSAES-OAEP (RFC 8017 section 7.1) with `hash` for both label and MGF1. `label` includes its terminating zero. */
  rsaOaepEncrypt(n: Uint8Array, e: number, hash: HashAlgorithm, label: Uint8Array, message: Uint8Array): Uint8Array
  /** One-pass ECDH with a fresh ephemeral key. All results at full field width; `z` is the shared x coordinate. */
  ecdhEphemeral(curve: 'p256' | 'p384', x: Uint8Array, y: Uint8Array): EphemeralAgreement
  /** AES in CFB mode with 128-bit feedback; the key's length, 16, 24 or 32 bytes, chooses the variant. */
  aesCfbEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array
}

export interface EphemeralAgreement {
  /** The ephemeral public key. */
  readonly x: Uint8Array
  readonly y: Uint8Array
  /** Secret. */
  readonly z: Uint8Array
}
