import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { encodeHeaders, readHeaders, type CoseHeaders } from '../cose/headers.ts'
import { coseKeyThumbprint, type CoseKey } from '../cose/key.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { contentType } from '../evidence/roles.ts'
import type { Assertion } from '../webauthn/assertion.ts'
import { algorithmOf } from '../webauthn/authenticator-data.ts'
import { encodeContent, ENTRY_LIMITS, type DecisionContent } from './content.ts'

/**
 * An entry that a passkey has signed: [protected, payload, authenticatorData, clientDataJSON, signature]. Header and
 * payload are those of the other entries; the challenge of the assertion is the hash of both, and so the person has signed
 * them. An array where the others are COSE_Sign1, and another context, so that neither passes for the other.
 */
const CONTEXT = 'keepseal-decision-webauthn-v1'

/** First byte of an array of five. */
const ARRAY_OF_FIVE = 0x85
export const isWebAuthnEntry = (bytes: Uint8Array): boolean => bytes[0] === ARRAY_OF_FIVE

export interface UnsignedWebAuthnEntry {
  readonly protectedBytes: Uint8Array
  readonly payload: Uint8Array
  /** For `navigator.credentials.get`. */
  readonly challenge: Uint8Array
}

export interface UnverifiedWebAuthnEntry extends Omit<UnsignedWebAuthnEntry, 'protectedBytes'> {
  readonly headers: CoseHeaders
  readonly assertion: Assertion
}

const challengeOf = (protectedBytes: Uint8Array, payload: Uint8Array, hash: HashFunction): Uint8Array =>
  new Uint8Array(hash('sha256', encodeCbor([CONTEXT, protectedBytes, payload])))

/** What a page asks the passkey of this key to sign. */
export function prepareWebAuthnEntry(
  content: DecisionContent,
  key: CoseKey,
  hash: HashFunction,
): UnsignedWebAuthnEntry {
  const keyId = coseKeyThumbprint(key, hash)
  const protectedBytes = encodeHeaders({ algorithm: algorithmOf(key), contentType: contentType('decision'), keyId })
  const payload = encodeContent(content)
  return { protectedBytes, payload, challenge: challengeOf(protectedBytes, payload, hash) }
}

export const finishWebAuthnEntry = (
  { protectedBytes, payload }: UnsignedWebAuthnEntry,
  { authenticatorData, clientDataJson, signature }: Assertion,
): Uint8Array => encodeCbor([protectedBytes, payload, authenticatorData, clientDataJson, signature])

/** Throws OutcomeError `cbor.*` or `cose.*` for anything but an entry of this form. */
export function parseWebAuthnEntry(bytes: Uint8Array, hash: HashFunction): UnverifiedWebAuthnEntry {
  const [protectedField, payloadField, authenticatorData, clientData, signature] = field(
    decodeCbor(bytes, ENTRY_LIMITS),
    'cose.malformed',
    'entry',
  ).tuple('protected', 'payload', 'authenticatorData', 'clientDataJSON', 'signature')
  const protectedBytes = protectedField.bytes({ max: 256 })
  const payload = payloadField.bytes({})
  const authenticator = signature.bytes({ min: 8, max: 128 })
  const protectedHeader = field(decodeCbor(protectedBytes), 'cose.malformed', 'protected').map()
  const message = { protectedBytes, protectedHeader, unprotectedHeader: new Map(), payload, authenticator }
  return {
    headers: readHeaders(message),
    payload,
    challenge: challengeOf(protectedBytes, payload, hash),
    assertion: {
      authenticatorData: authenticatorData.bytes({ max: 2048 }),
      clientDataJson: clientData.bytes({ max: 4096 }),
      signature: authenticator,
    },
  }
}
