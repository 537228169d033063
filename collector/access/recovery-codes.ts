import { utf8 } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash } from '../../shared/crypto/node.ts'
import { base32 } from './totp.ts'

const COUNT = 10
/** 80 bits: nobody guesses one, so a plain hash holds it. */
const SIZE = 10

export const hashRecoveryCode = (code: string): Uint8Array => new Uint8Array(hash('sha256', utf8(code.toUpperCase())))

/** Each is good once, in place of a code of the app. `text`: in groups of four, as they are shown once. */
export function makeRecoveryCodes(
  random: RandomFunction,
): readonly { readonly text: string; readonly hash: Uint8Array }[] {
  return Array.from({ length: COUNT }, () => {
    const code = base32(random(SIZE))
    return { text: code.replaceAll(/(.{4})(?=.)/g, '$1-'), hash: hashRecoveryCode(code) }
  })
}
