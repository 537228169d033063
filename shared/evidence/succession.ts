import { equal } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import { OutcomeError } from '../errors.ts'
import type { DeviceKey } from './evidence.ts'
import { contentType, messageAad } from './roles.ts'

/**
 * How a collector's key, certificate authorities and addresses follow one another: a chain of statements, each signed by
 * the key that was in force before it. Who trusts any of these keys finds the way to the newest one by himself, and
 * nobody who delivers the chain can lead him anywhere else, or back.
 */

/** What holds from one statement on. */
export interface Successor {
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  /** Greater than that of every statement before. */
  readonly number: number
  /** Seconds since 1970 by the collector's clock. */
  readonly at: number
  /** Ed25519, 32 bytes: signs what the collector says, and the next statement. The one before may go on. */
  readonly key: Uint8Array
  /** X.509 in DER: who may certify broker and collector. The first certifies devices. */
  readonly authorities: readonly Uint8Array[]
  readonly mqttUrl: string
  readonly collectorUrl: string
}

/** A statement that was followed. */
export interface FollowedSuccessor extends Successor {
  /** As it was signed. */
  readonly statement: Uint8Array
}

/** Whom a device trusts. */
export interface TrustedCollector {
  /** 16 bytes; null for who knows the key alone: that of which it speaks first. */
  readonly id: Uint8Array | null
  readonly key: DeviceKey
  /** Of the newest statement that it has followed; 0 before the first. */
  readonly number: number
}

export const MAX_STATEMENTS = 64
export const MAX_AUTHORITIES = 4
export const MAX_STATEMENT_BYTES = 8192
export const MAX_SUCCESSION_BYTES = 65_536
export const MAX_URL_LENGTH = 256
const URL_SIZE = { min: 1, max: MAX_URL_LENGTH }

export function signSuccessor(successor: Successor, by: Signer): Promise<Uint8Array> {
  const { collectorId, number, at, key, authorities, mqttUrl, collectorUrl } = successor
  return signSign1({
    payload: encodeCbor([collectorId, number, at, key, [...authorities], mqttUrl, collectorUrl]),
    contentType: contentType('successor'),
    externalAad: messageAad('successor', null),
    signer: by,
  })
}

/** The statement that this key signed. Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`. */
export function openSuccessor(bytes: Uint8Array, by: DeviceKey): Successor {
  const { payload } = verifySign1(parseSign1(bytes), {
    key: by.key,
    keyId: by.thumbprint,
    externalAad: messageAad('successor', null),
    contentType: contentType('successor'),
  })
  const names = ['collector', 'number', 'at', 'key', 'authorities', 'mqtt-url', 'collector-url'] as const
  const [collectorId, number, at, key, authorities, mqttUrl, collectorUrl] = field(
    decodeCbor(payload),
    'claims.malformed',
    'successor',
  ).tuple(...names)
  return {
    collectorId: collectorId.bytes({ length: 16 }),
    number: number.uint({ min: 1 }),
    at: at.uint(),
    key: key.bytes({ length: 32 }),
    authorities: authorities
      .array({ min: 1, max: MAX_AUTHORITIES })
      .map((authority) => authority.bytes({ min: 1, max: 2048 })),
    mqttUrl: mqttUrl.text(URL_SIZE),
    collectorUrl: collectorUrl.text(URL_SIZE),
  }
}

/** Throws RangeError for more statements than can be sent at once. */
export function encodeSuccession(statements: readonly Uint8Array[]): Uint8Array {
  const bytes = encodeCbor([...statements])
  if (statements.length > MAX_STATEMENTS || bytes.length > MAX_SUCCESSION_BYTES) {
    throw new RangeError(`${statements.length} statements of ${bytes.length} bytes`)
  }
  return bytes
}

/** The statements, oldest first, none of them looked at. Throws OutcomeError `cbor.*`, `claims.malformed`. */
export function decodeSuccession(bytes: Uint8Array): readonly Uint8Array[] {
  return field(decodeCbor(bytes), 'claims.malformed', 'succession')
    .array({ min: 1, max: MAX_STATEMENTS })
    .map((statement) => statement.bytes({ min: 1, max: MAX_STATEMENT_BYTES }))
}

/**
 * What follows for who trusts this collector: the statements that lead on from there, in order; none where there is
 * nothing newer. What is older, or was signed by a key that is not in force, is passed over: a chain that was cut,
 * reordered, or mixed with another one leads less far, and never elsewhere. `importKey`: of a raw Ed25519 key.
 * Throws OutcomeError `cbor.*`, `claims.malformed` for what is no chain.
 */
export const successorsOf = (
  trusted: TrustedCollector,
  bytes: Uint8Array,
  importKey: (key: Uint8Array) => DeviceKey,
): readonly FollowedSuccessor[] => successorsAmong(trusted, decodeSuccession(bytes), importKey)

/** The same of statements that were taken apart already. */
export function successorsAmong(
  trusted: TrustedCollector,
  statements: readonly Uint8Array[],
  importKey: (key: Uint8Array) => DeviceKey,
): readonly FollowedSuccessor[] {
  const followed: FollowedSuccessor[] = []
  let { key, number, id } = trusted
  for (const statement of statements) {
    const successor = signedBy(statement, key)
    if (successor === undefined || successor.number <= number) continue
    if (id !== null && !equal(successor.collectorId, id)) continue
    followed.push({ ...successor, statement })
    number = successor.number
    key = importKey(successor.key)
    id = successor.collectorId
  }
  return followed
}

function signedBy(statement: Uint8Array, key: DeviceKey): Successor | undefined {
  try {
    return openSuccessor(statement, key)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}
