import { checkHeaders } from '../cose/headers.ts'
import { parseSign1, signSign1, verifySign1, type Signer, type UnverifiedSign1 } from '../cose/sign1.ts'
import type { CoseKey } from '../cose/key.ts'
import type { HashFunction, VerificationKey } from '../crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { contentType, messageAad } from '../evidence/roles.ts'
import { verifyAssertion } from '../webauthn/assertion.ts'
import { algorithmOf } from '../webauthn/authenticator-data.ts'
import type { RelyingParty } from '../webauthn/relying-party.ts'
import { decodeContent, encodeContent, ENTRY_LIMITS, type DecisionContent } from './content.ts'
import { isWebAuthnEntry, parseWebAuthnEntry, type UnverifiedWebAuthnEntry } from './webauthn-entry.ts'

export type { DecisionContent } from './content.ts'

/** An entry as it reads. Nobody has checked who signed it, or where it belongs. */
export interface UnverifiedEntry extends DecisionContent {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`. */
  readonly hash: Uint8Array
  /** Thumbprint of the key that is said to have signed. */
  readonly keyId: Uint8Array
  /** By a key of the command line, or by a passkey. */
  readonly signed: UnverifiedSign1 | UnverifiedWebAuthnEntry
}

const AAD = messageAad('decision', null)

/** keepseal.cddl, decision: [log, index, previous, at, kind, subject, detail] in a COSE_Sign1 by the author's key. */
export function signDecision(content: DecisionContent, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeContent(content),
    contentType: contentType('decision'),
    externalAad: AAD,
    signer,
  })
}

/** Throws KeepsealError `log.malformed`, which says why. */
export function parseDecision(bytes: Uint8Array, hash: HashFunction): UnverifiedEntry {
  try {
    const signed = isWebAuthnEntry(bytes) ? parseWebAuthnEntry(bytes, hash) : parseSign1(bytes, ENTRY_LIMITS)
    const isAssertion = 'assertion' in signed
    return {
      ...decodeContent(isAssertion ? signed.payload : signed.unverifiedPayload),
      bytes,
      hash: new Uint8Array(hash('sha256', bytes)),
      keyId: isAssertion ? signed.headers.keyId : signed.keyId,
      signed,
    }
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('log.malformed', cause.message, { cause })
    throw cause
  }
}

/** Whose signature an entry has to have. */
export interface AuthorKey {
  readonly key: CoseKey
  readonly verificationKey: VerificationKey
  readonly thumbprint: Uint8Array
  /** Of a passkey; null for a key of the command line. One kind never signs as the other. */
  readonly relyingParty: RelyingParty | null
  /** Of the entry before by this passkey. */
  readonly lastSignCount: number | null
}

/**
 * Throws KeepsealError `log.signature-invalid` unless this key has signed exactly these bytes as a decision. Gives the
 * counter of a passkey, null for other keys.
 */
export function assertSignedBy({ signed }: UnverifiedEntry, author: AuthorKey, hash: HashFunction): number | null {
  const { key, verificationKey, thumbprint: keyId, relyingParty, lastSignCount } = author
  const expected = { keyId, contentType: contentType('decision') }
  try {
    if (relyingParty !== null && 'assertion' in signed) {
      const { headers, challenge, assertion } = signed
      checkHeaders(headers, { ...expected, algorithms: [algorithmOf(key)] })
      return verifyAssertion(assertion, { relyingParty, challenge, key, verificationKey, lastSignCount }, { hash })
    }
    if (relyingParty === null && !('assertion' in signed)) {
      verifySign1(signed, { ...expected, key: verificationKey, externalAad: AAD })
      return null
    }
  } catch (cause) {
    const isRefused = cause instanceof KeepsealError && cause.code === 'auth.assertion-invalid'
    if (!isRefused && !(cause instanceof OutcomeError)) throw cause
    throw new KeepsealError('log.signature-invalid', cause.message, { cause })
  }
  throw new KeepsealError('log.signature-invalid', 'the key is of another kind than the signature')
}
