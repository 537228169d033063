import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { COSE_ALGORITHM } from '../cose/algorithms.ts'
import { decodeCoseKey, type CoseKey } from '../cose/key.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'

/** Authenticator data (WebAuthn Level 3 section 6.1). */
export interface AuthenticatorData {
  /** SHA-256 of the relying party's id. */
  readonly rpIdHash: Uint8Array
  readonly isUserPresent: boolean
  readonly isUserVerified: boolean
  /** 0 for authenticators that do not count. */
  readonly signCount: number
  /** At a registration alone. */
  readonly credential: { readonly id: Uint8Array; readonly key: CoseKey } | null
}

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const ATTESTED = 0x40
const EXTENSIONS = 0x80
const FIXED = 37
const MAX_SIZE = 2048

const refuse = (reason: string): never => {
  throw new KeepsealError('auth.assertion-invalid', reason)
}

/** Throws KeepsealError `auth.assertion-invalid`. Extensions are never asked for, and refused. */
export function readAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < FIXED || bytes.length > MAX_SIZE) refuse('authenticator data of a wrong size')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint8(32)
  if ((flags & EXTENSIONS) !== 0) refuse('an extension that was not asked for')
  const isRegistration = (flags & ATTESTED) !== 0
  if (!isRegistration && bytes.length !== FIXED) refuse('bytes after the authenticator data')
  return {
    rpIdHash: bytes.subarray(0, 32),
    isUserPresent: (flags & USER_PRESENT) !== 0,
    isUserVerified: (flags & USER_VERIFIED) !== 0,
    signCount: view.getUint32(33),
    credential: isRegistration ? readCredential(bytes.subarray(FIXED)) : null,
  }
}

const AAGUID = 16
const ALG = 3

/** Attested credential data (section 6.5.2): AAGUID, length and id, COSE_Key with its algorithm. */
function readCredential(bytes: Uint8Array): { readonly id: Uint8Array; readonly key: CoseKey } {
  if (bytes.length < AAGUID + 2) return refuse('the attested credential is cut')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(AAGUID)
  const id = bytes.subarray(AAGUID + 2, AAGUID + 2 + length)
  if (length === 0 || length > 1023 || id.length !== length) return refuse('the credential id has a wrong length')
  try {
    const key = field(decodeCbor(bytes.subarray(AAGUID + 2 + length)), 'cose.key-malformed', 'COSE_Key')
    const algorithm = key.at(ALG, 'alg').integer()
    const required = new Map(key.map())
    required.delete(ALG)
    const read = decodeCoseKey(encodeCbor(required))
    if (algorithm !== algorithmOf(read)) return refuse(`algorithm ${algorithm}`)
    return { id, key: read }
  } catch (cause) {
    if (cause instanceof OutcomeError) return refuse(cause.message)
    throw cause
  }
}

/** What WebAuthn calls the signatures of such a key (section 5.8.5): ES256 on P-256, EdDSA on Ed25519. */
export const algorithmOf = (key: CoseKey): number =>
  key.curve === 'P-256' ? COSE_ALGORITHM.ES256 : COSE_ALGORITHM.EdDSA
