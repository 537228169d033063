import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { hasSignature, signature } from '../spec-id.ts'
import { anyText } from './text.ts'

/** NV_INDEX_INSTANCE_EVENT_LOG_DATA and NV_INDEX_DYNAMIC_EVENT_LOG_DATA, PFP 1.06 sections 10.4.5.4 and 10.4.5.5. */
const INSTANCE = signature('NvIndexInstance')
/** EDK II fills up with a space, the profile with a zero. */
const DYNAMIC = signature('NvIndexDynamic').subarray(0, 14)

/** What firmware extended into an NV index of the TPM instead of a PCR. Undefined for data that is no such event. */
export function describeNvIndexEvent(data: Uint8Array): string | undefined {
  if (hasSignature(data, INSTANCE)) return 'certificates of a device, in an NV index'
  if (!hasSignature(data, DYNAMIC)) return undefined
  const reader = new ByteReader(data, 'little-endian')
  try {
    // Signature, version, reserved bytes, and the device's number.
    reader.bytes(16 + 2 + 6 + 8)
    const description = anyText(reader.bytes(reader.u16()))
    return description === undefined ? DYNAMIC_TEXT : `${DYNAMIC_TEXT}: ${description}`
  } catch (error) {
    if (error instanceof ByteRangeError) return DYNAMIC_TEXT
    throw error
  }
}

const DYNAMIC_TEXT = 'exchange with a device, in an NV index'
