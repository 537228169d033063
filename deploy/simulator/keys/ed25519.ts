import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { COSE_ALGORITHM } from '../../../shared/cose/algorithms.ts'
import { coseKeyThumbprint, type CoseKey } from '../../../shared/cose/key.ts'
import type { Signer } from '../../../shared/cose/sign1.ts'
import { hash } from '../../../shared/crypto/node.ts'

/** PKCS #8 of an Ed25519 key up to the 32 bytes of the seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A deterministic Ed25519 signer on node:crypto, and its public key. `seed`: 32 bytes. */
export function ed25519Signer(seed: Uint8Array): { signer: Signer; x: Uint8Array } {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const x = fromBase64Url(createPublicKey(key).export({ format: 'jwk' }).x ?? '')
  const publicKey: CoseKey = { curve: 'Ed25519', x }
  const keyId = coseKeyThumbprint(publicKey, hash)
  return { x, signer: { algorithm: COSE_ALGORITHM.Ed25519, keyId, sign: (message) => sign(null, message, key) } }
}
