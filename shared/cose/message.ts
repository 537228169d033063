import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { encodeStrings } from '../cbor/strings.ts'
import { DEFAULT_CBOR_LIMITS, type CborLimits } from '../cbor/scan.ts'
import { CborTag, type CborMap } from '../cbor/value.ts'
import { OutcomeError } from '../errors.ts'

/** CBOR tags of the two message types (RFC 9052 table 1), and the context strings of what is authenticated. */
export const COSE_SIGN1 = { tag: 18, context: 'Signature1' } as const
export const COSE_MAC0 = { tag: 17, context: 'MAC0' } as const
export type CoseMessageType = typeof COSE_SIGN1 | typeof COSE_MAC0

const EMPTY = new Uint8Array(0)

/** The four parts that COSE_Sign1 and COSE_Mac0 share (RFC 9052 sections 4.2 and 6.2). */
export interface CoseMessage {
  /** The protected header as it was received: this is what is authenticated, never a re-encoding. */
  readonly protectedBytes: Uint8Array
  readonly protectedHeader: CborMap
  readonly unprotectedHeader: CborMap
  readonly payload: Uint8Array
  /** Signature or authentication code. */
  readonly authenticator: Uint8Array
}

/**
 * Takes a message apart, whatever its headers say. Deterministic CBOR, the right tag, an attached payload.
 * Throws OutcomeError `cbor.*`, `cose.wrong-tag` or `cose.malformed`.
 */
export function openMessage(type: CoseMessageType, bytes: Uint8Array, limits?: CborLimits): CoseMessage {
  const decoded = decodeCbor(bytes, limits ?? DEFAULT_CBOR_LIMITS)
  if (!(decoded instanceof CborTag) || decoded.tag !== type.tag) throw new OutcomeError('cose.wrong-tag')
  const [protectedField, unprotected, payload, authenticator] = field(decoded.value, 'cose.malformed', 'message').tuple(
    'protected',
    'unprotected',
    'payload',
    'authenticator',
  )
  const protectedBytes = protectedField.bytes({})
  return {
    protectedBytes,
    protectedHeader: headerMap(protectedBytes),
    unprotectedHeader: unprotected.map(),
    payload: payload.bytes({}),
    authenticator: authenticator.bytes({}),
  }
}

/** RFC 9052 section 3: an empty protected header may also be written as no bytes at all. */
function headerMap(protectedBytes: Uint8Array): CborMap {
  if (protectedBytes.length === 0) return new Map()
  return field(decodeCbor(protectedBytes), 'cose.malformed', 'protected').map()
}

export function encodeMessage(
  type: CoseMessageType,
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  authenticator: Uint8Array,
): Uint8Array {
  return encodeCbor(new CborTag(type.tag, [protectedBytes, new Map(), payload, authenticator]))
}

/**
 * What a signature or an authentication code is computed over: Sig_structure for one signer (RFC 9052 section 4.4),
 * MAC_structure (section 6.3). Both sections turn an encoded empty map into no bytes.
 */
export function authenticatedBytes(
  type: CoseMessageType,
  protectedBytes: Uint8Array,
  externalAad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  const isEmptyMap = protectedBytes.length === 1 && protectedBytes[0] === 0xa0
  return encodeStrings([type.context, isEmptyMap ? EMPTY : protectedBytes, externalAad, payload])
}
