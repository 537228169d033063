import { toHex } from '../bytes/bytes.ts'
import { EVENT_TYPE } from './constants.ts'
import { looksLikeCertificate } from './decode/certificate.ts'
import { parseEfiVariable, type EfiVariable } from './decode/efi-variable.ts'
import { parseGpt } from './decode/gpt.ts'
import { parseBootOrder, parseLoadOption } from './decode/load-option.ts'
import { describeNoAction } from './decode/no-action.ts'
import { parseSignatureLists } from './decode/signature-list.ts'
import {
  imageDevicePath,
  parseFirmwareBlob,
  parseFirmwareBlob2,
  parseTaggedEvent,
  type FirmwareBlob,
} from './decode/structures.ts'
import { EVENT_TAGS } from './decode/tags.ts'
import { anyText } from './decode/text.ts'
import { guidText } from './decode/guid.ts'
import type { Coverage } from './digests.ts'
import { describeAuthority, parseSbatLevel, summarizeDatabase } from './secure-boot-variables.ts'
import type { HashFunction } from '../crypto/crypto.ts'

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
  [EVENT_TYPE.EV_S_CRTM_VERSION, ({ data }) => prefixed('firmware version ', anyText(data) ?? versionGuid(data))],
  [EVENT_TYPE.EV_EFI_VARIABLE_DRIVER_CONFIG, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT2, describeVariable],
  [EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY, describeAuthorityEvent],
  [EVENT_TYPE.EV_EFI_BOOT_SERVICES_APPLICATION, ({ data }) => prefixed('application ', imageDevicePath(data))],
  [EVENT_TYPE.EV_EFI_BOOT_SERVICES_DRIVER, ({ data }) => prefixed('driver ', imageDevicePath(data))],
  [EVENT_TYPE.EV_EFI_RUNTIME_SERVICES_DRIVER, ({ data }) => prefixed('runtime driver ', imageDevicePath(data))],
  [EVENT_TYPE.EV_EFI_GPT_EVENT, ({ data }) => describeGpt(data)],
  [EVENT_TYPE.EV_EFI_GPT_EVENT2, ({ data }) => describeGpt(data)],
  [EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB, ({ data }) => describeBlob(parseFirmwareBlob(data))],
  [EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB2, ({ data }) => describeBlob(parseFirmwareBlob2(data))],
  // A text, or (older firmware) the same two numbers as a firmware blob.
  [EVENT_TYPE.EV_POST_CODE, ({ data }) => anyText(data) ?? describeBlob(parseFirmwareBlob(data))],
  [EVENT_TYPE.EV_POST_CODE2, ({ data }) => describeBlob(parseFirmwareBlob2(data))],
  [EVENT_TYPE.EV_EVENT_TAG, ({ data }) => describeTag(data)],
  [EVENT_TYPE.EV_IPL, describeBootLoaderEvent],
])

/** One line in words on what an event says. It is as true as its proof: see `proofOf` (./digests.ts). */
export function describeEvent(event: DescribedEvent, hash: HashFunction): string {
  const described = DESCRIPTIONS.get(event.claimedType)?.(event, hash)
  return described ?? anyText(event.data) ?? bytesText(event.data)
}

const SHOWN_BYTES = 16

function bytesText(data: Uint8Array): string {
  if (data.length === 0) return 'no data'
  return `${toHex(data.subarray(0, SHOWN_BYTES))}${data.length > SHOWN_BYTES ? `… (${data.length} bytes)` : ''}`
}

const prefixed = (prefix: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : `${prefix}${text}`

/** PFP section 10.4.1 allows a GUID for the version of the root of trust. */
const versionGuid = (data: Uint8Array): string | undefined => (data.length === 16 ? guidText(data) : undefined)

function describeSeparator(data: Uint8Array): string {
  const value = toHex(data)
  if (value === '00000000' || value === 'ffffffff') return 'separator'
  return value === '01000000' ? 'separator after a firmware error' : `separator ${anyText(data) ?? bytesText(data)}`
}

function describeVariable({ data }: DescribedEvent, hash: HashFunction): string | undefined {
  const variable = parseEfiVariable(data)
  return variable === undefined ? undefined : `${variable.name}: ${describeValue(variable, hash)}`
}

const SIGNATURE_DATABASES = ['PK', 'KEK', 'db', 'dbx', 'dbt', 'dbr', 'devdb']

function describeValue({ name, value }: EfiVariable, hash: HashFunction): string {
  if (value.length === 0) return 'empty'
  if (SIGNATURE_DATABASES.includes(name)) return describeDatabase(value, hash)
  if (name === 'BootOrder') return parseBootOrder(value)?.join(', ') ?? bytesText(value)
  if (/^(Boot|Driver|SysPrep)[0-9A-F]{4}$/.test(name)) {
    const option = parseLoadOption(value)
    if (option === undefined) return bytesText(value)
    const path = option.devicePath === undefined ? '' : ` at ${option.devicePath}`
    return `${option.description}${path}${option.active ? '' : ' (inactive)'}`
  }
  if (value.length === 1) return value[0] === 0 ? 'off' : value[0] === 1 ? 'on' : bytesText(value)
  return bytesText(value)
}

function describeDatabase(value: Uint8Array, hash: HashFunction): string {
  const lists = parseSignatureLists(value)
  if (lists === undefined) return `not readable as signature lists, ${bytesText(value)}`
  const { certificates, hashes, others } = summarizeDatabase(new Uint8Array(), lists, hash)
  const parts = certificates.map(({ subject, sha256 }) => `certificate ${subject ?? sha256}`)
  if (hashes > 0) parts.push(`${hashes} image hashes`)
  if (others > 0) parts.push(`${others} other entries`)
  return parts.join(', ')
}

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

function describeBlob(blob: FirmwareBlob | undefined): string | undefined {
  if (blob === undefined) return undefined
  const name = blob.description === undefined || blob.description === '' ? 'firmware' : blob.description
  return `${name} of ${blob.length} bytes at 0x${blob.base.toString(16)}`
}

function describeTag(data: Uint8Array): string | undefined {
  const tagged = parseTaggedEvent(data)
  if (tagged === undefined) return undefined
  const name = EVENT_TAGS.get(tagged.id) ?? `tag 0x${tagged.id.toString(16).padStart(8, '0')}`
  return tagged.text === undefined ? `${name}, ${tagged.size} bytes` : `${name}: ${tagged.text}`
}

/** PCRs by their use on Linux: the UAPI group's Linux TPM PCR Registry. */
const GRUB_COMMANDS = 8
const GRUB_FILES = 9
const UNIFIED_KERNEL_IMAGE = 11
const KERNEL_CONFIGURATION = 12
const SHIM = 14

function describeBootLoaderEvent({ pcr, data, coverage }: DescribedEvent): string | undefined {
  const text = anyText(data)
  if (text === undefined) return undefined
  switch (pcr) {
    case GRUB_COMMANDS:
      return `boot loader command ${text.replace(/^(grub_cmd:? )/, '')}`
    case GRUB_FILES:
      return `file ${text}`
    case UNIFIED_KERNEL_IMAGE:
      return `${coverage === 'section-name' ? 'name' : 'content'} of section ${text} of the unified kernel image`
    case KERNEL_CONFIGURATION:
      return `kernel configuration: ${text}`
    case SHIM:
      return `${text}, by shim`
    default:
      return text
  }
}
