import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'

export interface P256Key {
  readonly x: Uint8Array
  readonly y: Uint8Array
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const ecdh = createECDH('prime256v1')

/** Order of the group of P-256 (SP 800-186, section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The private key that 32 bytes stand for. One in 2^32 values is none and is hashed until it is. */
export function p256Key(seed: Uint8Array): P256Key {
  const scalar = scalarOf(seed)
  ecdh.setPrivateKey(scalar)
  const point = new Uint8Array(ecdh.getPublicKey())
  const [x, y] = [point.slice(1, 33), point.slice(33)]
  const jwk = { kty: 'EC', crv: 'P-256', x: toBase64Url(x), y: toBase64Url(y) }
  return {
    x,
    y,
    // Importing takes longer than the rest, and whoever writes a row of a database does not need it.
    get privateKey() {
      return createPrivateKey({ key: { ...jwk, d: toBase64Url(scalar) }, format: 'jwk' })
    },
    get publicKey() {
      return createPublicKey({ key: jwk, format: 'jwk' })
    },
  }
}

function scalarOf(seed: Uint8Array): Uint8Array {
  let scalar = seed
  for (;;) {
    const value = BigInt(`0x${toHex(scalar)}`)
    if (value > 0n && value < ORDER) return scalar
    scalar = sha256(scalar)
  }
}
