import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { hasSignature, signature } from '../spec-id.ts'
import { guidText } from './guid.ts'
import { anyText } from './text.ts'

/** Of the three versions of TCG_Sp800_155_PlatformId_Event, PFP section 10.4.5.2. The later two name the platform. */
const FIRST = signature('SP800-155 Event')
const NAMING = [signature('SP800-155 Event2'), signature('SP800-155 Event3')]
const SIGNATURE_SIZE = 16

/** Where the reference values of the firmware are to be had. Undefined for data that is no such event. */
export function describeSp800155(data: Uint8Array): string | undefined {
  const naming = NAMING.some((known) => hasSignature(data, known))
  if (!naming && !hasSignature(data, FIRST)) return undefined
  const reader = new ByteReader(data, 'little-endian')
  const found: string[] = ['firmware reference manifest']
  try {
    reader.bytes(SIGNATURE_SIZE)
    reader.u32()
    found.push(guidText(reader.bytes(16)))
    if (!naming) return found.join(' ')
    const string = () => anyText(reader.bytes(reader.u8()))
    const platform = [string(), string(), string()].filter((text) => text !== undefined)
    const manufacturer = string()
    reader.u32()
    const firmware = [manufacturer, string()].filter((text) => text !== undefined)
    if (platform.length > 0) found.push('for', ...platform)
    if (firmware.length > 0) found.push('with firmware', ...firmware)
  } catch (error) {
    // An event that ends early tells what it has.
    if (!(error instanceof ByteRangeError)) throw error
  }
  return found.join(' ')
}
