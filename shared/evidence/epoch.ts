import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import type { DeviceKey } from './evidence.ts'
import { contentType, messageAad } from './roles.ts'

/** A nonce for everybody, broadcast: evidence that carries it was made after it was issued. */
export interface EpochMessage {
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  readonly number: number
  /** 32 random bytes. */
  readonly nonce: Uint8Array
  /** Seconds since 1970 by the collector's clock. */
  readonly issuedAt: number
  /** Seconds until the next one. */
  readonly period: number
}

export function signEpoch(epoch: EpochMessage, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeCbor([epoch.collectorId, epoch.number, epoch.nonce, epoch.issuedAt, epoch.period]),
    contentType: contentType('epoch'),
    externalAad: messageAad('epoch', null),
    signer,
  })
}

/** The epoch that this collector signed. Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`. */
export function openEpoch(bytes: Uint8Array, collector: DeviceKey): EpochMessage {
  const { payload } = verifySign1(parseSign1(bytes), {
    key: collector.key,
    keyId: collector.thumbprint,
    externalAad: messageAad('epoch', null),
    contentType: contentType('epoch'),
  })
  const [collectorId, number, nonce, issuedAt, period] = field(decodeCbor(payload), 'claims.malformed', 'epoch').tuple(
    'collector',
    'number',
    'nonce',
    'issued',
    'period',
  )
  return {
    collectorId: collectorId.bytes({ length: 16 }),
    number: number.uint(),
    nonce: nonce.bytes({ length: 32 }),
    issuedAt: issuedAt.uint(),
    period: period.uint({ min: 1 }),
  }
}
