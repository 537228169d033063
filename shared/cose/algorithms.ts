import type { SignatureScheme } from '../crypto/crypto.ts'

/**
 * COSE algorithm numbers (IANA COSE Algorithms). Messages of this product use `Ed25519` and `HMAC-256/256`; the
 * others are here because a policy may allow them.
 */
export const COSE_ALGORITHM = {
  /** Fully specified (RFC 9864 section 2.2). */
  Ed25519: -19,
  /** Polymorphic, deprecated by RFC 9864: says Ed25519 only together with the key. */
  EdDSA: -8,
  ES256: -7,
  /** ECDSA on P-256 with SHA-256, fully specified (RFC 9864 section 2.1). */
  ESP256: -9,
  ES384: -35,
  ESP384: -51,
  /** HMAC with SHA-256, the full 32 bytes as tag (RFC 9053 section 3.1). */
  HMAC_256_256: 5,
} as const

/** What the key of a signature algorithm has to be. ES256 and ES384 name no curve; here each means its usual one. */
export const SIGNATURE_SCHEME: ReadonlyMap<number, SignatureScheme> = new Map<number, SignatureScheme>([
  [COSE_ALGORITHM.Ed25519, 'ed25519'],
  [COSE_ALGORITHM.EdDSA, 'ed25519'],
  [COSE_ALGORITHM.ES256, 'ecdsa-p256-sha256'],
  [COSE_ALGORITHM.ESP256, 'ecdsa-p256-sha256'],
  [COSE_ALGORITHM.ES384, 'ecdsa-p384-sha384'],
  [COSE_ALGORITHM.ESP384, 'ecdsa-p384-sha384'],
])
