import { equal } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { createMac0, type MacKey } from '../cose/mac0.ts'
import { OutcomeError } from '../errors.ts'
import { ueidBytes, type Ueid } from './identifiers.ts'
import { contentType, messageAad } from './roles.ts'

/**
 * The collector wants evidence of one device at once, and made after this nonce: challenge and response as in
 * draft-ietf-rats-reference-interaction-models, beside the epochs, which one for all devices suffices for.
 */
export interface Challenge {
  /** Greater than that of every challenge of this device before: an older one is never answered again. */
  readonly number: number
  /** 32 bytes: stands behind the epoch's in the eat_nonce of the answer. */
  readonly nonce: Uint8Array
  /** Seconds since 1970 by the collector's clock. An answer that comes later is evidence as any other. */
  readonly expiresAt: number
}

export function createChallenge(ueid: Ueid, { number, nonce, expiresAt }: Challenge, key: MacKey): Uint8Array {
  const payload = encodeCbor([number, ueidBytes(ueid), nonce, expiresAt])
  return createMac0({ payload, contentType: contentType('challenge'), externalAad: messageAad('challenge', ueid), key })
}

/** Of a payload that was verified. Throws OutcomeError `cbor.*`, `claims.malformed`. */
export function readChallenge(payload: Uint8Array, ueid: Ueid): Challenge {
  const [number, addressee, nonce, expires] = field(decodeCbor(payload), 'claims.malformed', 'challenge').tuple(
    'number',
    'ueid',
    'nonce',
    'expires',
  )
  if (!equal(addressee.bytes({ length: 17 }), ueidBytes(ueid))) {
    throw new OutcomeError('claims.malformed', 'addressed to another device')
  }
  return { number: number.uint({ min: 1 }), nonce: nonce.bytes({ length: 32 }), expiresAt: expires.uint() }
}
