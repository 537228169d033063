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

export type SignatureScheme = 'ed25519' | `ecdsa-p256-${'sha256' | 'sha384'}` | `ecdsa-p384-${'sha256' | 'sha384'}` | `rsassa-${'sha256' | 'sha384'}` | `rsapss-${'sha256' | 'sha384'}`
