import { ByteReader } from '../../../shared/bytes/reader.ts'

/** A message with the public keys of the device that its topic names. */
export interface KeyedMessage {
  readonly bytes: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** TPMT_PUBLIC; empty for a device without a TPM. */
  readonly akPublic: Uint8Array
}

/**
 * One buffer for a batch: it is transferred to a worker, not copied, and costs one message however many are in it. Each
 * part is its length (32 bits, big-endian) and its bytes.
 */
export function packed(messages: readonly KeyedMessage[]): ArrayBuffer {
  const parts = messages.flatMap(({ bytes, deviceKey, akPublic }) => [bytes, deviceKey, akPublic])
  const buffer = new ArrayBuffer(parts.reduce((sum, part) => sum + 4 + part.length, 0))
  const [bytes, view] = [new Uint8Array(buffer), new DataView(buffer)]
  let offset = 0
  for (const part of parts) {
    view.setUint32(offset, part.length)
    bytes.set(part, offset + 4)
    offset += 4 + part.length
  }
  return buffer
}

export function unpacked(buffer: ArrayBuffer): KeyedMessage[] {
  const reader = new ByteReader(new Uint8Array(buffer))
  const part = (): Uint8Array => reader.bytes(reader.u32())
  const messages: KeyedMessage[] = []
  while (reader.remaining > 0) messages.push({ bytes: part(), deviceKey: part(), akPublic: part() })
  return messages
}
