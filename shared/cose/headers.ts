import { encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { equal } from '../bytes/bytes.ts'
import type { CborMap } from '../cbor/value.ts'
import { OutcomeError } from '../errors.ts'
import type { CoseMessage } from './message.ts'

/** Common header parameters (RFC 9052 section 3.1, table 3). */
const ALG = 1
const CRIT = 2
const CONTENT_TYPE = 3
const KID = 4

/** The protected header of every message of this product. The unprotected header is empty. */
export interface CoseHeaders {
  /** IANA COSE algorithm number. */
  readonly algorithm: number
  readonly contentType: string
  readonly keyId: Uint8Array
}

export function encodeHeaders(headers: CoseHeaders): Uint8Array {
  return encodeCbor(
    new Map<number, number | string | Uint8Array>([
      [ALG, headers.algorithm],
      [CONTENT_TYPE, headers.contentType],
      [KID, headers.keyId],
    ]),
  )
}

/** Throws OutcomeError `cose.critical-header`: of the parameters that a `crit` could name, none is understood. */
function refuseCritical(header: CborMap): void {
  if (header.has(CRIT)) throw new OutcomeError('cose.critical-header')
}

/**
 * The algorithm in the protected header, where alone it is authenticated.
 * Throws OutcomeError `cose.algorithm-missing`, or `cose.algorithm-refused` for one that is named by a text.
 */
export function readAlgorithm(message: CoseMessage): number {
  refuseCritical(message.protectedHeader)
  const algorithm = message.protectedHeader.get(ALG)
  if (algorithm === undefined) throw new OutcomeError('cose.algorithm-missing')
  if (typeof algorithm !== 'number') throw new OutcomeError('cose.algorithm-refused', 'not a registered number')
  return algorithm
}

/** Reads the header strictly: the three parameters, no other, and nothing that is not authenticated. */
export function readHeaders(message: CoseMessage): CoseHeaders {
  if (message.unprotectedHeader.size !== 0) throw new OutcomeError('cose.unprotected-header')
  const algorithm = readAlgorithm(message)
  const header = field(message.protectedHeader, 'cose.malformed', 'protected').requireOnly([ALG, CONTENT_TYPE, KID])
  return {
    algorithm,
    contentType: header.at(CONTENT_TYPE, 'content type').text({ min: 1, max: 255 }),
    keyId: header.at(KID, 'kid').bytes({ min: 1, max: 64 }),
  }
}

/** What the verifier of a message knows beforehand, and the header has to say. */
export interface ExpectedHeaders {
  readonly algorithms: readonly number[]
  readonly contentType: string
  readonly keyId: Uint8Array
}

/** Throws OutcomeError `cose.algorithm-refused`, `cose.key-id-mismatch` or `cose.content-type`. */
export function checkHeaders(headers: CoseHeaders, expected: ExpectedHeaders): void {
  if (!expected.algorithms.includes(headers.algorithm)) {
    throw new OutcomeError('cose.algorithm-refused', `algorithm ${headers.algorithm}`)
  }
  if (!equal(headers.keyId, expected.keyId)) throw new OutcomeError('cose.key-id-mismatch')
  if (headers.contentType !== expected.contentType) {
    throw new OutcomeError('cose.content-type', `${JSON.stringify(headers.contentType)}, not ${expected.contentType}`)
  }
}
