import { createHash } from 'node:crypto'
import { getPublicKey, hashes, sign } from '@noble/ed25519'
import { COSE_ALGORITHM } from '../../shared/cose/algorithms.ts'
import { coseKeyThumbprint, type CoseKey } from '../../shared/cose/key.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import { hash } from '../../shared/crypto/node.ts'

// OpenSSL's SHA-512: in JavaScript, without a just-in-time compiler, 64 KiB of evidence would take 146 ms.
hashes.sha512 = (message) => new Uint8Array(createHash('sha512').update(message).digest())

/** The device's Ed25519 key. The seed stays inside. */
export interface DeviceSigner extends Signer {
  readonly publicKey: CoseKey
}

export const DEVICE_KEY_SEED_SIZE = 32

/** `seed`: 32 random bytes, the secret key of RFC 8032 section 5.1.5. */
export function deviceSigner(seed: Uint8Array): DeviceSigner {
  if (seed.length !== DEVICE_KEY_SEED_SIZE) throw new RangeError(`device key seed of ${seed.length} bytes`)
  const secret = Uint8Array.from(seed)
  const publicKey: CoseKey = { curve: 'Ed25519', x: getPublicKey(secret) }
  return {
    algorithm: COSE_ALGORITHM.Ed25519,
    keyId: coseKeyThumbprint(publicKey, hash),
    publicKey,
    sign: (message) => sign(message, secret),
  }
}
