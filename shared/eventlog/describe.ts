import { toHex } from '../bytes/bytes.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { printable } from '../text/printable.ts'
import { EVENT_TYPE } from './constants.ts'
import { describeBootLoaderEvent } from './decode/boot-loader.ts'
import { looksLikeCertificate } from './decode/certificate.ts'
import { parseEfiVariable, type EfiVariable } from './decode/efi-variable.ts'
import {
  blobText,
  codeText,
  crtmVersionText,
  describedHandoffTablesText,
  handoffTablesText,
  headText,
  spdmText,
} from './decode/firmware.ts'
import { describeForeignType } from './decode/foreign-types.ts'
import { parseGpt } from './decode/gpt.ts'
import { imageText } from './decode/image.ts'
import { parseBootOrder, parseLoadOption } from './decode/load-option.ts'
import { describeNoAction } from './decode/no-action.ts'
import { parseSignatureLists } from './decode/signature-list.ts'
import { parseFirmwareBlob2, parseTaggedEvent } from './decode/structures.ts'
import { EVENT_TAGS } from './decode/tags.ts'
import { anyText } from './decode/text.ts'
import { describeWindowsTag } from './decode/windows-log.ts'
import type { Coverage } from './digests.ts'
import { describeAuthority, parseSbatLevel, summarizeDatabase } from './secure-boot-variables.ts'

export interface DescribedEvent {
  readonly pcr: number
  readonly claimedType: number
  readonly data: Uint8Array
  readonly coverage?: Coverage
}

type Describe = (event: DescribedEvent, hash: HashFunction) => string | undefined

/** By claimed type. Undefined from one of these means that the data is not of the form that the type has. */
const DESCRIPTIONS: ReadonlyMap<number, Describe> = new Map<number, Describe>([
  [EVENT_TYPE.EV_NO_ACTION, ({ data }) => describeNoAction(data)],
  [EVENT_TYPE.EV_SEPARATOR, ({ data }) => describeSeparator(data)],
  [EVENT_TYPE.EV_S_CRTM_VERSION, ({ data }) => crtmVersionText(data)],
  [EVENT_TYPE.EV_S_CRTM_CONTENTS, ({ data }) => codeText(data)],
  [EVENT_TYPE.EV_CPU_MICROCODE, ({ data }) => codeText(data)],
  [EVENT_TYPE.EV_EFI_HCRTM_EVENT, ({ data }) => prefixed('hardware root of trust: ', anyText(data))],
  [EVENT_TYPE.EV_NONHOST_INFO, ({ data }) => anyText(data) ?? headText(data)],
  [EVENT_TYPE.EV_EFI_HANDOFF_TABLES, ({ data }) => handoffTablesText(data)],
  [EVENT_TYPE.EV_EFI_HANDOFF_TABLES2, ({ data }) => describedHandoffTablesText(data)],
  [EVENT_TYPE.EV_TABLE_OF_DEVICES, ({ data }) => anyText(data) ?? handoffTablesText(data)],
  [EVENT_TYPE.EV_EFI_SPDM_FIRMWARE_BLOB, ({ data }) => spdmText(data)],
  [EVENT_TYPE.EV_EFI_SPDM_FIRMWARE_CONFIG, ({ data }) => spdmText(data)],
  [EVENT_TYPE.EV_EFI_SPDM_DEVICE_POLICY, describeVariable],
  [EVENT_TYPE.EV_EFI_SPDM_DEVICE_AUTHORITY, describeAuthorityEvent],
  [EVENT_TYPE.EV_EFI_VARIABLE_DRIVER_CONFIG, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT2, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY, describeAuthorityEvent],
  [EVENT_TYPE.EV_EFI_BOOT_SERVICES_APPLICATION, ({ data }) => imageText('application', data)],
  [EVENT_TYPE.EV_EFI_BOOT_SERVICES_DRIVER, ({ data }) => imageText('driver', data)],
  [EVENT_TYPE.EV_EFI_RUNTIME_SERVICES_DRIVER, ({ data }) => imageText('runtime driver', data)],
  [EVENT_TYPE.EV_EFI_GPT_EVENT, ({ data }) => describeGpt(data)],
  [EVENT_TYPE.EV_EFI_GPT_EVENT2, ({ data }) => describeGpt(data)],
  [EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB, ({ data }) => codeText(data)],
  [EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB2, ({ data }) => blobText(parseFirmwareBlob2(data))],
  [EVENT_TYPE.EV_POST_CODE, ({ data }) => codeText(data)],
  [EVENT_TYPE.EV_POST_CODE2, ({ data }) => blobText(parseFirmwareBlob2(data))],
  [EVENT_TYPE.EV_EVENT_TAG, ({ data }) => describeTag(data)],
  [EVENT_TYPE.EV_IPL, ({ pcr, data, coverage }) => describeBootLoaderEvent(pcr, data, coverage)],
])

/** A boot loader measures whole menus as one command. */
const MAX_TEXT = 4096

/**
 * One printable line in words on what an event says. It is as true as its proof: see `proofOf` (./digests.ts). Data of
 * any kind has one: what is not of the form that its type has is shown as text or as bytes.
 */
export function describeEvent(event: DescribedEvent, hash: HashFunction): string {
  const { claimedType, data } = event
  const described = DESCRIPTIONS.get(claimedType)?.(event, hash) ?? describeForeignType(claimedType, data)
  const text = described ?? anyText(data) ?? bytesText(data)
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
}

const SHOWN_BYTES = 16

function bytesText(data: Uint8Array): string {
  if (data.length === 0) return 'no data'
  return `${toHex(data.subarray(0, SHOWN_BYTES))}${data.length > SHOWN_BYTES ? `… (${data.length} bytes)` : ''}`
}

const prefixed = (prefix: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : `${prefix}${text}`

function describeSeparator(data: Uint8Array): string {
  const value = toHex(data)
  if (value === '00000000' || value === 'ffffffff') return 'separator'
  return value === '01000000' ? 'separator after a firmware error' : `separator ${anyText(data) ?? bytesText(data)}`
}

function describeVariable({ data }: DescribedEvent, hash: HashFunction): string | undefined {
  const variable = parseEfiVariable(data)
  return variable === undefined ? undefined : `${variable.name}: ${describeValue(variable, hash)}`
}

const BOOT_NUMBERS = ['BootOrder', 'BootNext', 'BootCurrent']
const SIGNATURE_DATABASES = ['PK', 'KEK', 'db', 'dbx', 'dbt', 'dbr', 'devdb', 'vendor_db', 'vendor_dbx']

function describeValue({ name, value }: EfiVariable, hash: HashFunction): string {
  if (value.length === 0) return 'empty'
  if (SIGNATURE_DATABASES.includes(name)) return describeDatabase(value, hash)
  if (BOOT_NUMBERS.includes(name)) return parseBootOrder(value)?.join(', ') ?? bytesText(value)
  if (/^(Boot|Driver|SysPrep)[0-9A-F]{4}$/.test(name)) {
    const option = parseLoadOption(value)
    if (option === undefined) return bytesText(value)
    const path = option.devicePath === undefined ? '' : ` at ${option.devicePath}`
    return `${option.description}${path}${option.active ? '' : ' (inactive)'}`
  }
  if (value.length === 1) return value[0] === 0 ? 'off' : value[0] === 1 ? 'on' : bytesText(value)
  return anyText(value) ?? bytesText(value)
}

function describeDatabase(value: Uint8Array, hash: HashFunction): string {
  const lists = parseSignatureLists(value)
  if (lists === undefined) return `not readable as signature lists, ${bytesText(value)}`
  const { certificates, hashes, others } = summarizeDatabase(new Uint8Array(), lists, hash)
  const parts = certificates.map(({ subject, sha256 }) => `certificate ${subject ?? sha256}`)
  if (hashes > 0) parts.push(counted(hashes, 'image hash', 'image hashes'))
  if (others > 0) parts.push(counted(others, 'other entry', 'other entries'))
  return parts.length === 0 ? 'no entries' : parts.join(', ')
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

function describeAuthorityEvent({ data }: DescribedEvent, hash: HashFunction): string | undefined {
  const variable = parseEfiVariable(data)
  if (variable === undefined) return undefined
  const { name, value } = variable
  const sbat = name === 'SbatLevel' ? parseSbatLevel(value) : undefined
  if (sbat !== undefined) return `SbatLevel: revocations of ${sbat.date}`
  const { certificate, imageHash } = describeAuthority(variable, { sequence: 0, phase: 'after-separator' }, hash)
  if (certificate !== undefined) return `${name} allowed by certificate ${certificate.subject ?? certificate.sha256}`
  if (imageHash !== undefined) return `${name} allowed by image hash ${imageHash}`
  return looksLikeCertificate(value) ? name : `${name}: ${describeValue(variable, hash)}`
}

function describeGpt(data: Uint8Array): string | undefined {
  const gpt = parseGpt(data)
  if (gpt === undefined) return undefined
  const partitions = gpt.partitions.map(({ type, name }) => (name === '' ? type : `${name} (${type})`))
  return `disk ${gpt.diskId}: ${partitions.length === 0 ? 'no partitions' : partitions.join(', ')}`
}

function describeTag(data: Uint8Array): string | undefined {
  const tagged = parseTaggedEvent(data)
  if (tagged === undefined) return undefined
  const windows = describeWindowsTag(tagged.id, tagged.data)
  if (windows !== undefined) return windows
  const name = EVENT_TAGS.get(tagged.id) ?? `tag 0x${tagged.id.toString(16).padStart(8, '0')}`
  return tagged.text === undefined ? `${name}, ${tagged.data.length} bytes` : `${name}: ${tagged.text}`
}
