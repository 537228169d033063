import { describedHandoffTables, handoffTables } from './handoff-tables.ts'
import { guidText } from './guid.ts'
import { parseFirmwareBlob, parseFirmwareBlob2, type FirmwareBlob } from './structures.ts'
import { anyText, terminatedUtf16 } from './text.ts'

/** Words for the events of firmware, PFP section 10.4.1. Undefined for data that does not have the form of the type. */

export function blobText(blob: FirmwareBlob | undefined): string | undefined {
  if (blob === undefined) return undefined
  const name = blob.description === undefined || blob.description === '' ? 'firmware' : blob.description
  return `${name} of ${blob.length} bytes at 0x${blob.base.toString(16)}`
}

/** A text, or one of the two structures that tell where code lies: firmware mixes them for most types of code. */
export const codeText = (data: Uint8Array): string | undefined =>
  anyText(data) ?? blobText(parseFirmwareBlob(data)) ?? blobText(parseFirmwareBlob2(data))

/** EV_S_CRTM_VERSION: UTF-16, ASCII, or a GUID. Some firmware logs a whole buffer behind the terminator of the text. */
export function crtmVersionText(data: Uint8Array): string | undefined {
  if (data.every((byte) => byte === 0)) return 'firmware version not given'
  const version = anyText(data) ?? (data.length === 16 ? guidText(data) : undefined) ?? headText(data)
  return version === undefined ? undefined : `firmware version ${version}`
}

/** The text before a terminator with other bytes behind it. */
export function headText(data: Uint8Array): string | undefined {
  const wide = data[1] === 0 ? terminatedUtf16(data)?.text : undefined
  if (wide !== undefined && /^[\x20-\x7e]{2,}$/.test(wide)) return wide
  const narrow = anyText(data.subarray(0, Math.max(0, data.indexOf(0))))
  return narrow !== undefined && /^[\x20-\x7e]{2,}$/.test(narrow) ? narrow : undefined
}

export const handoffTablesText = (data: Uint8Array): string | undefined => tablesText(handoffTables(data), '')

export function describedHandoffTablesText(data: Uint8Array): string | undefined {
  const described = describedHandoffTables(data)
  return tablesText(described?.tables, described?.description ?? '')
}

function tablesText(tables: readonly string[] | undefined, description: string): string | undefined {
  if (tables === undefined) return undefined
  const names = tables.length === 0 ? 'no tables' : tables.join(', ')
  return description === '' ? names : `${description}: ${names}`
}

/** DEVICE_SECURITY_EVENT_DATA, PFP section 10.2.10: 16 bytes of signature, and two versions of what follows. */
const SPDM_SIGNATURE = 'SPDM Device Sec'
export function spdmText(data: Uint8Array): string | undefined {
  const head = String.fromCharCode(...data.subarray(0, SPDM_SIGNATURE.length))
  return head === SPDM_SIGNATURE ? `measurement of a device by SPDM, ${data.length} bytes` : undefined
}
