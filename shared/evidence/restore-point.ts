import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import type { DeviceKey } from './evidence.ts'
import { contentType, messageAad } from './roles.ts'

/** The collector was put back from a backup: what it promised after that one was made, it does not hold any more. */
export interface RestorePointMessage {
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  /** Greater than that of every restore point before. */
  readonly number: number
  /** Seconds since 1970 by the collector's clock. */
  readonly restoredAt: number
  /** The newest receipt that the collector still knows was issued then, in seconds; null where it knows of none. */
  readonly newestReceiptAt: number | null
  /** The number from which its epochs go on. */
  readonly firstEpoch: number
}

export function signRestorePoint(point: RestorePointMessage, signer: Signer): Promise<Uint8Array> {
  const { collectorId, number, restoredAt, newestReceiptAt, firstEpoch } = point
  return signSign1({
    payload: encodeCbor([collectorId, number, restoredAt, newestReceiptAt, firstEpoch]),
    contentType: contentType('restore-point'),
    externalAad: messageAad('restore-point', null),
    signer,
  })
}

/** The restore point that this collector signed. Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`. */
export function openRestorePoint(bytes: Uint8Array, collector: DeviceKey): RestorePointMessage {
  const { payload } = verifySign1(parseSign1(bytes), {
    key: collector.key,
    keyId: collector.thumbprint,
    externalAad: messageAad('restore-point', null),
    contentType: contentType('restore-point'),
  })
  const [collectorId, number, restoredAt, newestReceiptAt, firstEpoch] = field(
    decodeCbor(payload),
    'claims.malformed',
    'restore-point',
  ).tuple('collector', 'number', 'restored', 'newest-receipt', 'first-epoch')
  return {
    collectorId: collectorId.bytes({ length: 16 }),
    number: number.uint({ min: 1 }),
    restoredAt: restoredAt.uint(),
    newestReceiptAt: newestReceiptAt.nullable()?.uint() ?? null,
    firstEpoch: firstEpoch.uint({ min: 1 }),
  }
}
