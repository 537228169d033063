import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { fromUtf8, toHex } from '../../bytes/bytes.ts'
import { OutcomeError } from '../../errors.ts'
import { startupLocalityOf } from '../replay.ts'
import { hasSignature, isCryptoAgileSpecId, isSha1SpecId, parseSpecId, signature } from '../spec-id.ts'
import { describeNvIndexEvent } from './nv-index.ts'
import { describeSp800155 } from './sp800-155.ts'
import { parseTaggedEvent } from './structures.ts'
import { describeWindowsTag } from './windows-log.ts'

const H_CRTM = signature('H-CRTM Event')
const SIGNATURE_SIZE = 16
const TAG_HEADER_SIZE = 8

/** Says in words what an EV_NO_ACTION event informs about, PFP section 10.4.5. None of it is proven by any PCR. */
export function describeNoAction(data: Uint8Array): string {
  if (isCryptoAgileSpecId(data)) return describeSpecId(data)
  if (isSha1SpecId(data)) return 'log in SHA-1 format'
  const locality = startupLocalityOf(data)
  if (locality !== undefined) return `TPM started from locality ${locality}`
  const manifest = describeSp800155(data)
  if (manifest !== undefined) return manifest
  const nvIndex = describeNvIndexEvent(data)
  if (nvIndex !== undefined) return nvIndex
  if (hasSignature(data, H_CRTM)) return 'hardware root of trust for measurement'
  return describeWindowsNote(data) ?? `note that is not measured${describeSignature(data)}`
}

/** Windows cuts the last of its notes, which holds a quote, where its copy of the log ends. */
function describeWindowsNote(data: Uint8Array): string | undefined {
  if (data.length < TAG_HEADER_SIZE) return undefined
  const tagged = parseTaggedEvent(data)
  const id = new ByteReader(data, 'little-endian').u32()
  return describeWindowsTag(id, tagged?.data ?? data.subarray(TAG_HEADER_SIZE))
}

function describeSpecId(data: Uint8Array): string {
  try {
    const { version, algorithms } = parseSpecId(data, 0)
    const banks = algorithms.map(({ id, bank }) => bank ?? `0x${id.toString(16)}`)
    return `log in crypto-agile format, specification ${version}, banks ${banks.join(', ')}`
  } catch (error) {
    // As the first event of a log it would have been refused; anywhere else it is a note like any other.
    if (error instanceof OutcomeError || error instanceof ByteRangeError) return 'damaged Spec ID event'
    throw error
  }
}

function describeSignature(data: Uint8Array): string {
  const head = data.subarray(0, SIGNATURE_SIZE)
  try {
    const text = fromUtf8(head).replace(/\0+$/, '')
    if (/^[\x20-\x7e]{3,}$/.test(text)) return ` (${text})`
  } catch {
    // Not text: shown as bytes.
  }
  return head.length === 0 ? '' : ` (${toHex(head)}…)`
}
