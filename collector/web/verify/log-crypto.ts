import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import type { LogCrypto } from '../../../shared/decisions/log.ts'
import { ed25519Key, hash } from './crypto.ts'

type Verified = (name: string, check: () => Promise<boolean>) => boolean

const cryptoWith = (verified: Verified): LogCrypto => ({
  hash,
  ed25519Key,
  ecdsaKey: (_curve, _digest, x, y) => ({
    scheme: 'ecdsa-p256-sha256',
    verify: (message, signature) => {
      const name = [x, y, message, signature].map(toHex).join(' ')
      return verified(name, () => verifyByBrowser(x, y, message, signature))
    },
  }),
})

/**
 * Runs what checks a decision log. Signatures of passkeys are the browser's own to verify, which answers later: so it runs
 * once to learn which there are, and once more with the answers; only that second run counts.
 */
export async function checkLog<T>(run: (crypto: LogCrypto) => T): Promise<T> {
  const asked = new Map<string, () => Promise<boolean>>()
  const note: Verified = (name, check) => {
    asked.set(name, check)
    return true
  }
  try {
    run(cryptoWith(note))
  } catch {
    // What is wrong is told by the run that counts.
  }
  const answers = new Map<string, boolean>()
  for (const [name, check] of asked) answers.set(name, await check())
  return run(cryptoWith((name) => answers.get(name) === true))
}

async function verifyByBrowser(
  x: Uint8Array,
  y: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
  try {
    const point = own(concat(Uint8Array.of(4), x, y))
    const key = await crypto.subtle.importKey('raw', point, algorithm, false, ['verify'])
    return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, own(signature), own(message))
  } catch {
    // No point of the curve, or no signature.
    return false
  }
}
