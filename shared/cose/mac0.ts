import type { CborLimits } from '../cbor/scan.ts'
import type { EqualFunction, HmacFunction } from '../crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { COSE_ALGORITHM } from './algorithms.ts'
import { checkHeaders, encodeHeaders, readHeaders, type CoseHeaders } from './headers.ts'
import { authenticatedBytes, COSE_MAC0, encodeMessage, openMessage, type CoseMessage } from './message.ts'

/** A shared secret of at least 32 bytes, by its name, and how to use it. */
export interface MacKey {
  readonly keyId: Uint8Array
  readonly secret: Uint8Array
  readonly hmac: HmacFunction
}

/** An authenticated message whose code nobody has checked. Every field is the sender's word. */
export interface UnverifiedMac0 extends CoseHeaders {
  readonly unverifiedPayload: Uint8Array
  readonly message: CoseMessage
}

/** A message whose authentication code, key id and content type were checked. Only `verifyMac0` makes one. */
class VerifiedMac0 {
  readonly #headers: CoseHeaders
  /** A view on the received bytes. */
  readonly payload: Uint8Array

  constructor(headers: CoseHeaders, payload: Uint8Array) {
    this.#headers = headers
    this.payload = payload
  }

  get contentType(): string {
    return this.#headers.contentType
  }

  get keyId(): Uint8Array {
    return this.#headers.keyId
  }
}

// As a type alone: the class itself stays here, so nobody else can construct one.
export type { VerifiedMac0 }

export interface Mac0Content {
  readonly payload: Uint8Array
  readonly contentType: string
  /** Encoded context that both sides know and that is authenticated without being sent. */
  readonly externalAad: Uint8Array
  readonly key: MacKey
}

/** HMAC 256/256 over the MAC_structure (RFC 9053 section 3.1, RFC 9052 section 6.3). */
function authenticationCode(
  key: MacKey,
  protectedBytes: Uint8Array,
  externalAad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  if (key.secret.length < 32) throw new KeepsealError('internal.failure', 'a MAC key is shorter than 32 bytes')
  return key.hmac('sha256', key.secret, authenticatedBytes(COSE_MAC0, protectedBytes, externalAad, payload))
}

/** COSE_Mac0 (RFC 9052 section 6.2), tagged, with everything that is said about it in the protected header. */
export function createMac0({ payload, contentType, externalAad, key }: Mac0Content): Uint8Array {
  const protectedBytes = encodeHeaders({ algorithm: COSE_ALGORITHM.HMAC_256_256, contentType, keyId: key.keyId })
  const code = authenticationCode(key, protectedBytes, externalAad, payload)
  return encodeMessage(COSE_MAC0, protectedBytes, payload, code)
}

/** Throws OutcomeError with a `cbor.*` or `cose.*` code for anything but a COSE_Mac0 of this product's shape. */
export function parseMac0(bytes: Uint8Array, limits?: CborLimits): UnverifiedMac0 {
  const message = openMessage(COSE_MAC0, bytes, limits)
  return { ...readHeaders(message), unverifiedPayload: message.payload, message }
}

export interface Mac0Expectation {
  readonly key: MacKey
  readonly externalAad: Uint8Array
  readonly contentType: string
  /** Constant-time: it compares the code that the sender must not be able to guess byte by byte. */
  readonly equal: EqualFunction
}

/** Throws OutcomeError with a `cose.*` code unless the message is what was expected, made by a holder of that key. */
export function verifyMac0(unverified: UnverifiedMac0, expected: Mac0Expectation): VerifiedMac0 {
  const { key, externalAad, contentType } = expected
  checkHeaders(unverified, { algorithms: [COSE_ALGORITHM.HMAC_256_256], contentType, keyId: key.keyId })
  const { protectedBytes, payload, authenticator } = unverified.message
  const code = authenticationCode(key, protectedBytes, externalAad, payload)
  if (!expected.equal(code, authenticator)) throw new OutcomeError('cose.mac-invalid')
  return new VerifiedMac0(unverified, payload)
}
