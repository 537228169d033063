import { utf8 } from '../bytes/bytes.ts'
import { ByteReader } from '../bytes/reader.ts'
import { hashOf } from '../tpm/constants.ts'
import { HASH_SIZE } from '../crypto/crypto.ts'
import { MAX_ALGORITHMS, MAX_DIGEST_SIZE } from './constants.ts'
import { malformedAt } from './malformed.ts'
import type { LogAlgorithm } from './types.ts'

const SIGNATURE_SIZE = 16
const CRYPTO_AGILE_SIGNATURE = signature('Spec ID Event03')
const SHA1_SIGNATURES = [signature('Spec ID Event00'), signature('Spec ID Event02')]

/** Signatures of EV_NO_ACTION events are 16 bytes: ASCII, filled up with zeros. */
export function signature(text: string): Uint8Array {
  const bytes = new Uint8Array(SIGNATURE_SIZE)
  bytes.set(utf8(text))
  return bytes
}

export function hasSignature(data: Uint8Array, expected: Uint8Array): boolean {
  return data.length >= expected.length && expected.every((byte, index) => data[index] === byte)
}

export const isCryptoAgileSpecId = (data: Uint8Array): boolean => hasSignature(data, CRYPTO_AGILE_SIGNATURE)
export const isSha1SpecId = (data: Uint8Array): boolean => SHA1_SIGNATURES.some((known) => hasSignature(data, known))

export interface SpecId {
  readonly platformClass: number
  readonly version: string
  /** Bytes of a UINTN of the platform. */
  readonly uintnSize: number
  readonly algorithms: readonly LogAlgorithm[]
  readonly vendorInfo: Uint8Array
}

/**
 * TCG_EfiSpecIDEvent, PFP section 10.4.5.1. Throws ByteRangeError if it ends early and `eventlog.malformed` for
 * values that it cannot have. `offset`: where the structure begins in the log, for the message.
 */
export function parseSpecId(data: Uint8Array, offset: number): SpecId {
  const reader = new ByteReader(data, 'little-endian')
  reader.bytes(SIGNATURE_SIZE)
  const platformClass = reader.u32()
  const minor = reader.u8()
  const major = reader.u8()
  const errata = reader.u8()
  // PFP: 1 for 32-bit and 2 for 64-bit firmware, counted in units of four bytes.
  const uintnSize = reader.u8() * 4
  const count = reader.u32()
  if (count < 1 || count > MAX_ALGORITHMS) throw malformedAt(offset, `a Spec ID event with ${count} algorithms`)
  const algorithms: LogAlgorithm[] = []
  for (let i = 0; i < count; i++) {
    const algorithm = readAlgorithm(reader, offset)
    if (algorithms.some(({ id }) => id === algorithm.id)) {
      throw malformedAt(offset, `algorithm 0x${algorithm.id.toString(16)} twice in the Spec ID event`)
    }
    algorithms.push(algorithm)
  }
  // Some firmware leaves bytes after vendorInfo. They mean nothing, and the size of the event bounds them.
  const vendorInfo = reader.remaining === 0 ? new Uint8Array() : reader.bytes(reader.u8())
  return { platformClass, version: `${major}.${minor}.${errata}`, uintnSize, algorithms, vendorInfo }
}

/** TCG_EfiSpecIdEventAlgorithmSize. The size lets a reader skip digests of algorithms that it does not know. */
function readAlgorithm(reader: ByteReader, offset: number): LogAlgorithm {
  const id = reader.u16()
  const size = reader.u16()
  const bank = hashOf(id)
  if (size === 0 || size > MAX_DIGEST_SIZE || (bank !== undefined && size !== HASH_SIZE[bank])) {
    throw malformedAt(offset, `a digest size of ${size} for algorithm 0x${id.toString(16)}`)
  }
  return bank === undefined ? { id, size } : { id, size, bank }
}
