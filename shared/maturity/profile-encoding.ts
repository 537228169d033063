import * as v from 'valibot'
import { equal, toHex } from '../bytes/bytes.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { decodePlain, encodePlain } from './plain-cbor.ts'
import { ProfileDocument } from './profile.ts'

/** Of an encoded profile, and of the file that it is written in. */
export const MAX_PROFILE_BYTES = 512 * 1024

const LIMITS = { maxBytes: MAX_PROFILE_BYTES, maxDepth: 12, maxItems: 32_768 }

const byId = <T extends { readonly id: string }>(items: readonly T[]): T[] =>
  [...items].sort((a, b) => (a.id < b.id ? -1 : 1))

/** Lists of a profile are sets: in whatever order a person wrote them, it is the same profile. */
const canonical = (document: ProfileDocument): ProfileDocument => ({
  ...document,
  practices: Object.fromEntries(
    Object.entries(document.practices).map(([id, practice]) => [
      id,
      { ...practice, documents: [...practice.documents].sort() },
    ]),
  ),
  limitations: byId(document.limitations).map(({ unpatched, ...each }) => ({
    ...each,
    practices: [...each.practices].sort(),
    ...(unpatched && {
      unpatched: { hardware: [...unpatched.hardware].sort(), packages: [...unpatched.packages].sort() },
    }),
  })),
  assumptions: byId(document.assumptions).map((each) => ({ ...each, practices: [...each.practices].sort() })),
})

/** One encoding for equal profiles. */
export const encodeProfile = (document: ProfileDocument): Uint8Array => encodePlain(canonical(document))

/** SHA-256 of the encoding in hexadecimal: what the decision log and certificates name a profile by. */
export const digestOfProfile = (document: ProfileDocument, hash: HashFunction): string =>
  toHex(hash('sha256', encodeProfile(document)))

/**
 * The profile in bytes that `encodeProfile` wrote. Throws KeepsealError `profile.invalid` for anything else, another
 * encoding of the same profile included: one profile has one digest.
 */
export function decodeProfile(bytes: Uint8Array): ProfileDocument {
  const checked = v.safeParse(ProfileDocument, plainOf(bytes))
  if (!checked.success) {
    const [issue] = checked.issues
    throw new KeepsealError('profile.invalid', `${v.getDotPath(issue) ?? 'the profile'}: ${issue.message}`)
  }
  const document = checked.output
  if (equal(encodeProfile(document), bytes)) return document
  throw new KeepsealError('profile.invalid', 'it is not in its one encoding')
}

function plainOf(bytes: Uint8Array): unknown {
  try {
    return decodePlain(bytes, LIMITS)
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('profile.invalid', cause.message, { cause })
    throw cause
  }
}
