import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'
import { COSE_ALGORITHM } from '../cose/algorithms.ts'
import { readAlgorithm } from '../cose/headers.ts'
import { authenticatedBytes, COSE_SIGN1, encodeMessage, openMessage } from '../cose/message.ts'
import { checkSignature, type Signer } from '../cose/sign1.ts'
import { equal } from '../bytes/bytes.ts'
import { standingOf, type Certificate } from '../decisions/certificate.ts'
import type { Register } from '../decisions/register.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import type { StatusKey } from './status.ts'

/** Status types that draft-ietf-oauth-status-list registers; what the last one means is the application's word. */
export const STATUS_TYPES = ['valid', 'invalid', 'suspended', 'application-specific'] as const
export type StatusType = (typeof STATUS_TYPES)[number]

export const STATUS_LIST_TYPE = 'application/statuslist+cwt'
/** Seconds after which a list is to be fetched anew, though it may be believed for longer. */
export const STATUS_LIST_TTL = 300

const BITS = 2
const PER_BYTE = 8 / BITS
/** Of a list, decompressed: places for four million certificates. */
const MAX_LIST_BYTES = 1024 * 1024
const LIMITS = { maxBytes: 2 * MAX_LIST_BYTES, maxDepth: 4, maxItems: 64 }

/** zlib (RFC 1950), handed in. `inflate` gives undefined for what is damaged or longer than `maximum` bytes. */
export type Deflate = (bytes: Uint8Array) => Uint8Array
export type Inflate = (bytes: Uint8Array, maximum: number) => Uint8Array | undefined

/** Two bits each, the first in the lowest bits of the first byte. The last byte is filled with `invalid`. */
export function packStatuses(statuses: readonly StatusType[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(statuses.length / PER_BYTE))
  for (let at = 0; at < bytes.length * PER_BYTE; at++) {
    const value = STATUS_TYPES.indexOf(statuses[at] ?? 'invalid')
    const byte = Math.floor(at / PER_BYTE)
    bytes[byte] = (bytes[byte] ?? 0) | (value << ((at % PER_BYTE) * BITS))
  }
  return bytes
}

/** Undefined beyond the end of the list. */
export function statusAt(bytes: Uint8Array, index: number): StatusType | undefined {
  const byte = bytes[Math.floor(index / PER_BYTE)]
  return byte === undefined ? undefined : STATUS_TYPES[(byte >> ((index % PER_BYTE) * BITS)) & 3]
}

/**
 * What one place in the list can say of a certificate. `application-specific`: in force, but not without more: under
 * conditions, or suspended for some of its products. `at`: seconds since 1970.
 */
export function statusTypeOf(certificate: Certificate, at: number): StatusType {
  const { state, isExpired } = standingOf(certificate, at)
  if (isExpired || at < certificate.validFrom) return 'invalid'
  if (state === 'valid') return 'valid'
  if (state === 'valid-with-conditions') return 'application-specific'
  if (state !== 'suspended') return 'invalid'
  return certificate.suspension?.products === null ? 'suspended' : 'application-specific'
}

/**
 * A place for every entry of the decision log: a certificate has that of the entry with its draft, which never moves.
 * What is in no other place is `invalid`.
 */
export function statusesOf({ certificates, head }: Register, at: number): readonly StatusType[] {
  const all = Array.from({ length: (head?.index ?? -1) + 1 }, (): StatusType => 'invalid')
  for (const certificate of certificates.values()) all[certificate.place] = statusTypeOf(certificate, at)
  return all
}

export interface StatusList {
  /** Where it is published: what certificates name it by. */
  readonly uri: string
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Seconds; null where nothing is said. */
  readonly ttl: number | null
  /** Decompressed. */
  readonly bytes: Uint8Array
}

/** Claims of a CWT (RFC 8392), and those of the draft; header parameters of RFC 9052, and of RFC 9596. */
const CLAIM = { sub: 2, exp: 4, iat: 6, list: 65_533, ttl: 65_534 } as const
const HEADER = { alg: 1, kid: 4, typ: 16 } as const
/** A CWT has no external data. */
const AAD = new Uint8Array(0)

/** A Status List Token in its CWT form. */
export async function signStatusList(list: StatusList, signer: Signer, deflate: Deflate): Promise<Uint8Array> {
  const claims = new Map<number, CborValue>([
    [CLAIM.sub, list.uri],
    [CLAIM.exp, list.expiresAt],
    [CLAIM.iat, list.issuedAt],
    [
      CLAIM.list,
      new Map<string, CborValue>([
        ['bits', BITS],
        ['lst', deflate(list.bytes)],
      ]),
    ],
  ])
  if (list.ttl !== null) claims.set(CLAIM.ttl, list.ttl)
  const header = encodeCbor(
    new Map<number, CborValue>([
      [HEADER.alg, signer.algorithm],
      [HEADER.kid, signer.keyId],
      [HEADER.typ, STATUS_LIST_TYPE],
    ]),
  )
  const payload = encodeCbor(claims)
  const signature = await signer.sign(authenticatedBytes(COSE_SIGN1, header, AAD, payload))
  return encodeMessage(COSE_SIGN1, header, payload, signature)
}

/** Throws KeepsealError `certificate.status-invalid`, which names the place, unless this key has signed exactly this. */
export function openStatusList(bytes: Uint8Array, { key, thumbprint }: StatusKey, inflate: Inflate): StatusList {
  try {
    const message = openMessage(COSE_SIGN1, bytes, LIMITS)
    const algorithm = readAlgorithm(message)
    if (algorithm !== COSE_ALGORITHM.Ed25519) throw new OutcomeError('cose.algorithm-refused', `algorithm ${algorithm}`)
    const header = field(message.protectedHeader, 'cose.malformed', 'protected').requireOnly(Object.values(HEADER))
    if (!equal(header.at(HEADER.kid, 'kid').bytes({ min: 1, max: 64 }), thumbprint)) {
      throw new OutcomeError('cose.key-id-mismatch')
    }
    header.at(HEADER.typ, 'typ').oneOf([STATUS_LIST_TYPE])
    if (message.unprotectedHeader.size !== 0) throw new OutcomeError('cose.unprotected-header')
    checkSignature(message, algorithm, key, AAD)
    const claims = field(decodeCbor(message.payload, LIMITS), 'claims.malformed', 'list').requireOnly(
      Object.values(CLAIM),
    )
    const list = claims.at(CLAIM.list, 'status_list').requireOnly(['bits', 'lst'])
    list.at('bits', 'bits').uint({ min: BITS, max: BITS })
    const lst = list.at('lst', 'lst')
    return {
      uri: claims.at(CLAIM.sub, 'sub').text({ min: 1, max: 2048 }),
      issuedAt: claims.at(CLAIM.iat, 'iat').uint(),
      expiresAt: claims.at(CLAIM.exp, 'exp').uint(),
      ttl: claims.maybe(CLAIM.ttl, 'ttl')?.uint({ min: 1 }) ?? null,
      bytes:
        inflate(lst.bytes({ min: 1, max: MAX_LIST_BYTES }), MAX_LIST_BYTES) ?? lst.refuse('it is no zlib, or too long'),
    }
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
    throw new KeepsealError('certificate.status-invalid', `the status list: ${cause.message}`, { cause })
  }
}
