import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { COSE_ALGORITHM } from '../../../shared/cose/algorithms.ts'
import { coseKeyThumbprint, type CoseKey } from '../../../shared/cose/key.ts'
import type { Signer } from '../../../shared/cose/sign1.ts'
import { hash } from '../../../shared/crypto/node.ts'

/** A deterministic Ed25519 signer on node:crypto, and its public key. `seed`: 32 bytes. */
export function ed25519Signer(seed: Uint8Array): { signer: Signer; x: Uint8Array } {
  const d = toBase64Url(seed)
  // A JWK is imported seven times as fast as PKCS #8 is. Its `x` has to be there, and is made anew from `d`.
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: d }, format: 'jwk' })
  const x = fromBase64Url(createPublicKey(key).export({ format: 'jwk' }).x ?? '')
  const publicKey: CoseKey = { curve: 'Ed25519', x }
  const keyId = coseKeyThumbprint(publicKey, hash)
  return { x, signer: { algorithm: COSE_ALGORITHM.Ed25519, keyId, sign: (message) => sign(null, message, key) } }
}
