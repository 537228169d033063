import { ByteRangeError } from '../../bytes/reader.ts'
import { fromUtf8, toHex } from '../../bytes/bytes.ts'
import { OutcomeError } from '../../errors.ts'
import { startupLocalityOf } from '../replay.ts'
import { hasSignature, isCryptoAgileSpecId, isSha1SpecId, parseSpecId, signature } from '../spec-id.ts'
import { guidText } from './guid.ts'

const SP800_155 = [signature('SP800-155 Event'), signature('SP800-155 Event2'), signature('SP800-155 Event3')]
const H_CRTM = signature('H-CRTM Event')
const SIGNATURE_SIZE = 16

/** Says in words what an EV_NO_ACTION event informs about, PFP section 10.4.5. None of it is proven by any PCR. */
export function describeNoAction(data: Uint8Array): string {
  if (isCryptoAgileSpecId(data)) return describeSpecId(data)
  if (isSha1SpecId(data)) return 'log in SHA-1 format'
  const locality = startupLocalityOf(data)
  if (locality !== undefined) return `TPM started from locality ${locality}`
  if (SP800_155.some((known) => hasSignature(data, known))) return describeSp800155(data)
  if (hasSignature(data, H_CRTM)) return 'hardware root of trust for measurement'
  return `note that is not measured${describeSignature(data)}`
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

/** TCG_Sp800_155_PlatformId_Event, PFP section 10.4.5.2: vendor id, then the GUID of the reference manifest. */
function describeSp800155(data: Uint8Array): string {
  const manifest = data.subarray(SIGNATURE_SIZE + 4, SIGNATURE_SIZE + 20)
  return manifest.length === 16 ? `firmware reference manifest ${guidText(manifest)}` : 'firmware reference manifest'
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
