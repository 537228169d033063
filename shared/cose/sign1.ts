import type { CborLimits } from '../cbor/scan.ts'
import type { VerificationKey } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { COSE_ALGORITHM, SIGNATURE_SCHEME } from './algorithms.ts'
import { checkHeaders, encodeHeaders, readHeaders, type CoseHeaders } from './headers.ts'
import { authenticatedBytes, COSE_SIGN1, encodeMessage, openMessage, type CoseMessage } from './message.ts'

/** Somebody who can sign: a key in memory, or one behind an interface that takes its time. */
export interface Signer {
  /** COSE algorithm number. */
  readonly algorithm: number
  /** COSE key thumbprint of the public key. */
  readonly keyId: Uint8Array
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Signed bytes whose signature nobody has checked. Every field is the sender's word. */
export interface UnverifiedSign1 extends CoseHeaders {
  readonly unverifiedPayload: Uint8Array
  readonly message: CoseMessage
}

/** A message whose signature, key id and content type were checked. Only `verifySign1` makes one. */
class VerifiedSign1 {
  readonly #headers: CoseHeaders
  /** A view on the received bytes. */
  readonly payload: Uint8Array

  constructor(headers: CoseHeaders, payload: Uint8Array) {
    this.#headers = headers
    this.payload = payload
  }

  get algorithm(): number {
    return this.#headers.algorithm
  }

  get contentType(): string {
    return this.#headers.contentType
  }

  get keyId(): Uint8Array {
    return this.#headers.keyId
  }
}

// As a type alone: the class itself stays here, so nobody else can construct one.
export type { VerifiedSign1 }

export interface Sign1Content {
  readonly payload: Uint8Array
  readonly contentType: string
  /** Encoded context that both sides know and that is signed without being sent. */
  readonly externalAad: Uint8Array
  readonly signer: Signer
}

/** COSE_Sign1 (RFC 9052 section 4.2), tagged, with everything that is said about it in the protected header. */
export async function signSign1({ payload, contentType, externalAad, signer }: Sign1Content): Promise<Uint8Array> {
  const protectedBytes = encodeHeaders({ algorithm: signer.algorithm, contentType, keyId: signer.keyId })
  const signature = await signer.sign(authenticatedBytes(COSE_SIGN1, protectedBytes, externalAad, payload))
  return encodeMessage(COSE_SIGN1, protectedBytes, payload, signature)
}

/** Throws OutcomeError with a `cbor.*` or `cose.*` code for anything but a COSE_Sign1 of this product's shape. */
export function parseSign1(bytes: Uint8Array, limits?: CborLimits): UnverifiedSign1 {
  const message = openMessage(COSE_SIGN1, bytes, limits)
  const { algorithm, contentType, keyId } = readHeaders(message)
  return { algorithm, contentType, keyId, unverifiedPayload: message.payload, message }
}

export interface Sign1Expectation {
  readonly key: VerificationKey
  readonly keyId: Uint8Array
  readonly externalAad: Uint8Array
  readonly contentType: string
  /** COSE algorithm numbers that policy allows; Ed25519 (-19) alone if absent. */
  readonly algorithms?: readonly number[]
}

const DEFAULT_ALGORITHMS: readonly number[] = [COSE_ALGORITHM.Ed25519]

/** Throws OutcomeError with a `cose.*` code unless the message is what was expected, signed by that key. */
export function verifySign1(unverified: UnverifiedSign1, expected: Sign1Expectation): VerifiedSign1 {
  const { keyId, contentType, algorithms = DEFAULT_ALGORITHMS } = expected
  checkHeaders(unverified, { keyId, contentType, algorithms })
  checkSignature(unverified.message, unverified.algorithm, expected.key, expected.externalAad)
  return new VerifiedSign1(unverified, unverified.unverifiedPayload)
}

/**
 * The signature check alone, over the received bytes (RFC 9052 section 4.4). Throws OutcomeError
 * `cose.algorithm-refused` if the key is not one for `algorithm`, `cose.signature-invalid` if it did not sign this.
 */
export function checkSignature(
  message: CoseMessage,
  algorithm: number,
  key: VerificationKey,
  externalAad: Uint8Array,
): void {
  if (SIGNATURE_SCHEME.get(algorithm) !== key.scheme) {
    throw new OutcomeError('cose.algorithm-refused', `algorithm ${algorithm} with a key for ${key.scheme}`)
  }
  const signed = authenticatedBytes(COSE_SIGN1, message.protectedBytes, externalAad, message.payload)
  if (!key.verify(signed, message.authenticator)) throw new OutcomeError('cose.signature-invalid')
}
