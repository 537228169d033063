import { encodeCbor } from '../cbor/codec.ts'
import type { CborField } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'

/** A device with the keys that it was enrolled with; once more for each time that it was given new ones. */
export interface MirroredEnrolment {
  /** 17 bytes. */
  readonly ueid: Uint8Array
  /** Of the product that it belongs to. */
  readonly vendor: string
  readonly model: string
  readonly hardwareRevision: string
  readonly serial: string
  readonly identity: string
  /** Ed25519, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** TPMT_PUBLIC of the attestation key; null for a device without a TPM. */
  readonly akPublic: Uint8Array | null
  readonly ekName: Uint8Array | null
  /** SHA-256 of the certificate of the endorsement key. */
  readonly ekCertificate: Uint8Array | null
}

const NAME = { max: 256 }

export const enrolmentToCbor = (it: MirroredEnrolment): CborValue => [
  it.ueid,
  [it.vendor, it.model, it.hardwareRevision, it.serial],
  it.identity,
  it.deviceKey,
  it.akPublic,
  it.ekName,
  it.ekCertificate,
]

export const encodeEnrolment = (enrolment: MirroredEnrolment): Uint8Array => encodeCbor(enrolmentToCbor(enrolment))

export function readEnrolment(item: CborField): MirroredEnrolment {
  const [ueid, product, identity, deviceKey, akPublic, ekName, ekCertificate] = item.tuple(
    ...(['ueid', 'product', 'identity', 'deviceKey', 'akPublic', 'ekName', 'ekCertificate'] as const),
  )
  const [vendor, model, hardwareRevision, serial] = product.tuple('vendor', 'model', 'hardwareRevision', 'serial')
  return {
    ueid: ueid.bytes({ length: 17 }),
    vendor: vendor.text(NAME),
    model: model.text(NAME),
    hardwareRevision: hardwareRevision.text(NAME),
    serial: serial.text(NAME),
    identity: identity.text({ min: 1, max: 64 }),
    deviceKey: deviceKey.bytes({ length: 32 }),
    akPublic: akPublic.nullable()?.bytes({ min: 1, max: 2048 }) ?? null,
    ekName: ekName.nullable()?.bytes({ min: 1, max: 128 }) ?? null,
    ekCertificate: ekCertificate.nullable()?.bytes({ length: 32 }) ?? null,
  }
}
