/** The collector's side of credential activation with node:crypto: see CredentialPrimitives in ./crypto.ts. */
import {
  constants,
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto'
import { concat, fromBase64Url, toBase64Url } from '../bytes/bytes.ts'
import { ByteWriter } from '../bytes/writer.ts'
import { OutcomeError } from '../errors.ts'
import type { CredentialPrimitives } from './crypto.ts'
import { hash, hmac } from './node.ts'

const NAMED_CURVE = { p256: { crv: 'P-256' }, p384: { crv: 'P-384' } } as const

/** Runs what OpenSSL refuses for the other side's key alone. */
function withPeerKey<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw new OutcomeError('tpm.key-invalid', cause instanceof Error ? cause.message : undefined)
  }
}

function coordinate(key: KeyObject, name: 'x' | 'y'): Uint8Array {
  const value = key.export({ format: 'jwk' })[name]
  if (value === undefined) throw new TypeError(`an EC key without ${name}`)
  return fromBase64Url(value)
}

export const credentialPrimitives: CredentialPrimitives = {
  hash,
  hmac,

  rsaOaepEncrypt(n, e, oaepHash, oaepLabel, message) {
    return withPeerKey(() => {
      const jwk = { kty: 'RSA', n: toBase64Url(n), e: toBase64Url(new ByteWriter().u32(e).finish()) }
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash, oaepLabel }, message)
    })
  },

  ecdhEphemeral(curve, x, y) {
    const { crv } = NAMED_CURVE[curve]
    // The import checks that the point is on the curve: a point of another curve would leak the ephemeral key.
    const jwk = { kty: 'EC', crv, x: toBase64Url(x), y: toBase64Url(y) }
    const peer = withPeerKey(() => createPublicKey({ key: jwk, format: 'jwk' }))
    const ephemeral = generateKeyPairSync('ec', { namedCurve: crv })
    return {
      x: coordinate(ephemeral.publicKey, 'x'),
      y: coordinate(ephemeral.publicKey, 'y'),
      z: diffieHellman({ privateKey: ephemeral.privateKey, publicKey: peer }),
    }
  },

  aesCfbEncrypt(key, iv, plaintext) {
    const cipher = createCipheriv(`aes-${key.length * 8}-cfb`, key, iv)
    return concat(cipher.update(plaintext), cipher.final())
  },
}
