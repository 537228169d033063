import { decodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'

const LIMITS = { maxBytes: 16_384, maxDepth: 6, maxItems: 64 }

/**
 * The authenticator data of an attestation object (WebAuthn Level 3 section 6.5.4). Its statement is not looked at: none
 * was asked for (`attestation: "none"`), and some authenticators attest themselves nevertheless.
 * Throws KeepsealError `auth.assertion-invalid`.
 */
export function authenticatorDataOf(attestationObject: Uint8Array): Uint8Array {
  try {
    const object = field(decodeCbor(attestationObject, LIMITS), 'cose.malformed', 'attestationObject')
    object.at('fmt', 'fmt').text({ min: 1, max: 32 })
    object.at('attStmt', 'attStmt').map()
    return object.at('authData', 'authData').bytes({ max: 2048 })
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('auth.assertion-invalid', cause.message, { cause })
    throw cause
  }
}
