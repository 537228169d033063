import { hashes, verify } from '@noble/ed25519'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import type { HashFunction, VerificationKey } from '../../../shared/crypto/crypto.ts'
import { isAcceptableEd25519Key } from '../../../shared/crypto/ed25519.ts'

hashes.sha512 = sha512

/** What a status is checked with; nothing else is. */
export const hash: HashFunction = (algorithm, data) => {
  if (algorithm === 'sha256') return sha256(data)
  if (algorithm === 'sha512') return sha512(data)
  throw new Error(`no ${algorithm} here`)
}

/** As strict as the collector's own: `zip215: false`, and no key of small order or that is not canonical. */
export function ed25519Key(x: Uint8Array): VerificationKey {
  return {
    scheme: 'ed25519',
    verify(message, signature) {
      try {
        return isAcceptableEd25519Key(x) && verify(signature, message, x, { zip215: false })
      } catch {
        return false
      }
    },
  }
}
