import { concat, equal, fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../bytes/bytes.ts'
import type { CoseKey } from '../cose/key.ts'
import type { HashFunction, VerificationKey } from '../crypto/crypto.ts'
import { isAcceptableEd25519Key } from '../crypto/ed25519.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { readAuthenticatorData } from './authenticator-data.ts'
import { rawFromDer } from './der-signature.ts'
import type { RelyingParty } from './relying-party.ts'

/** What a browser gives for `navigator.credentials.get`. Nothing of it is checked. */
export interface Assertion {
  readonly authenticatorData: Uint8Array
  /** The bytes as the authenticator signed their hash, never an encoding of one's own. */
  readonly clientDataJson: Uint8Array
  readonly signature: Uint8Array
}

export interface ExpectedAssertion {
  readonly relyingParty: RelyingParty
  readonly challenge: Uint8Array
  readonly key: CoseKey
  readonly verificationKey: VerificationKey
  /** The counter of the last one; null before the first. */
  readonly lastSignCount: number | null
}

/** Keys of credentials, imported by node:crypto or by a browser. */
export interface CredentialCrypto {
  readonly hash: HashFunction
  ed25519Key(x: Uint8Array): VerificationKey
  ecdsaKey(curve: 'p256', digest: 'sha256', x: Uint8Array, y: Uint8Array): VerificationKey
}

const MAX_CLIENT_DATA = 4096

const refuse = (reason: string): never => {
  throw new KeepsealError('auth.assertion-invalid', reason)
}

/** Throws KeepsealError `auth.assertion-invalid` for a key that is none: a point off the curve, or of small order. */
export function credentialVerificationKey(key: CoseKey, crypto: CredentialCrypto): VerificationKey {
  try {
    if (key.curve === 'P-256') return crypto.ecdsaKey('p256', 'sha256', key.x, key.y)
    if (isAcceptableEd25519Key(key.x)) return crypto.ed25519Key(key.x)
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
  }
  return refuse('not a public key')
}

/**
 * Checks an assertion as WebAuthn Level 3 section 7.2 says, with user verification required, and gives the counter to
 * remember. Pure: the same code checks a login, a decision that arrives, and a log years later.
 * Throws KeepsealError `auth.assertion-invalid`, which says what does not hold.
 */
export function verifyAssertion(
  assertion: Assertion,
  expected: ExpectedAssertion,
  { hash }: { readonly hash: HashFunction },
): number {
  const { relyingParty, challenge, key, verificationKey, lastSignCount } = expected
  assertClientData(assertion.clientDataJson, 'webauthn.get', relyingParty, challenge)
  const data = readAuthenticatorData(assertion.authenticatorData)
  if (data.credential !== null) refuse('a registration')
  assertRelyingParty(data.rpIdHash, relyingParty, hash)
  if (!data.isUserPresent || !data.isUserVerified) refuse('the person was not verified')
  const signed = concat(assertion.authenticatorData, new Uint8Array(hash('sha256', assertion.clientDataJson)))
  const signature = key.curve === 'P-256' ? rawFromDer(assertion.signature) : assertion.signature
  if (signature === undefined || !verificationKey.verify(signed, signature)) refuse('the signature')
  // Section 7.2 step 22: one that counts and does not grow was copied.
  const counts = data.signCount !== 0 || (lastSignCount ?? 0) !== 0
  if (counts && lastSignCount !== null && data.signCount <= lastSignCount) refuse('the counter of the authenticator')
  return data.signCount
}

/** Checks a registration (section 7.1) without its attestation, and gives the new credential. */
export function readRegistration(
  { authenticatorData, clientDataJson }: Omit<Assertion, 'signature'>,
  { relyingParty, challenge }: Pick<ExpectedAssertion, 'relyingParty' | 'challenge'>,
  crypto: CredentialCrypto,
) {
  assertClientData(clientDataJson, 'webauthn.create', relyingParty, challenge)
  const data = readAuthenticatorData(authenticatorData)
  assertRelyingParty(data.rpIdHash, relyingParty, crypto.hash)
  if (!data.isUserPresent || !data.isUserVerified) return refuse('the person was not verified')
  if (data.credential === null) return refuse('no credential')
  credentialVerificationKey(data.credential.key, crypto)
  return { ...data.credential, signCount: data.signCount }
}

/** What client data says that it answers: to find what was asked, before anything is checked. */
export function challengeOf(clientDataJson: Uint8Array): Uint8Array {
  const { challenge } = readClientData(clientDataJson)
  try {
    if (typeof challenge === 'string' && challenge.length <= 128) return fromBase64Url(challenge)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
  }
  return refuse('no challenge')
}

function assertRelyingParty(rpIdHash: Uint8Array, { id }: RelyingParty, hash: HashFunction): void {
  if (!equal(rpIdHash, new Uint8Array(hash('sha256', utf8(id))))) refuse('it is for another relying party')
}

/** CollectedClientData (section 5.8.1). */
function assertClientData(bytes: Uint8Array, type: string, { origins }: RelyingParty, challenge: Uint8Array): void {
  const data = readClientData(bytes)
  if (data['type'] !== type) refuse(`the type is not ${type}`)
  if (data['challenge'] !== toBase64Url(challenge)) refuse('it answers another challenge')
  const { origin, crossOrigin, topOrigin } = data
  if (typeof origin !== 'string' || !origins.includes(origin)) refuse('it comes from another origin')
  if ((crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined) refuse('it comes out of a frame')
}

function readClientData(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length > MAX_CLIENT_DATA) return refuse('client data of a wrong size')
  let data: unknown
  try {
    data = JSON.parse(fromUtf8(bytes))
  } catch {
    return refuse('the client data is no JSON')
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return refuse('the client data is no object')
  return data as Record<string, unknown>
}
