import type { DigestProof } from '../digests.ts'
import { EVENT_TYPE, eventTypeName } from '../constants.ts'
import { parseEfiVariable } from '../decode/efi-variable.ts'
import { imageDevicePath, parseTaggedEvent } from '../decode/structures.ts'
import { EVENT_TAGS } from '../decode/tags.ts'
import { anyText } from '../decode/text.ts'
import type { ReplayedEvent } from '../types.ts'
import type { BootPart, EventSubject } from './types.ts'

/** What the events before have told about the boot. */
export interface BootProgress {
  /** A boot loader was started, so that the next application is what it loads. */
  readonly afterBootLoader: boolean
  /** The log measures sections of a unified kernel image. */
  readonly hasImageSections: boolean
}

const MAX_NAME = 120
const cut = (text: string): string => (text.length <= MAX_NAME ? text : `${text.slice(0, MAX_NAME - 1)}…`)

const subject = (part: BootPart, name: string, isContainer = false): EventSubject => ({
  part,
  name: cut(name),
  isContainer,
})

/** Use of PCRs 0 to 7: PFP section 3.3.4. Of those above: the UAPI group's Linux TPM PCR Registry. */
const PARTS: readonly BootPart[] = [
  'firmware',
  'configuration',
  'option-rom',
  'configuration',
  'boot-loader',
  'configuration',
  'configuration',
  'secure-boot',
  'boot-loader',
  'boot-loader',
  'other',
  'kernel',
  'command-line',
  'other', // system extensions, which are code
  'secure-boot',
]
const partOf = (pcr: number): BootPart => PARTS[pcr] ?? 'other'

/** The subject of an event. Names are the device's words: they help people, and nothing is allowed because of them. */
export function subjectOf(event: ReplayedEvent, { coverage }: DigestProof, progress: BootProgress): EventSubject {
  const { pcr, claimedType, data } = event
  switch (claimedType) {
    case EVENT_TYPE.EV_SEPARATOR:
      return subject(partOf(pcr), 'separator')
    case EVENT_TYPE.EV_S_CRTM_VERSION:
      return subject('firmware', 'firmware version')
    case EVENT_TYPE.EV_EFI_VARIABLE_DRIVER_CONFIG:
    case EVENT_TYPE.EV_EFI_VARIABLE_BOOT:
    case EVENT_TYPE.EV_EFI_VARIABLE_BOOT2:
      return subject(partOf(pcr), `variable ${variableName(data)}`)
    case EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY:
      return subject(partOf(pcr), `authority ${variableName(data)}`)
    case EVENT_TYPE.EV_EFI_GPT_EVENT:
    case EVENT_TYPE.EV_EFI_GPT_EVENT2:
      return subject(partOf(pcr), 'partition table')
    case EVENT_TYPE.EV_EFI_BOOT_SERVICES_APPLICATION:
      return pcr === 4 ? application(data, progress) : subject(partOf(pcr), named('application', imageDevicePath(data)))
    case EVENT_TYPE.EV_EFI_BOOT_SERVICES_DRIVER:
    case EVENT_TYPE.EV_EFI_RUNTIME_SERVICES_DRIVER:
      return subject(partOf(pcr), named('driver', imageDevicePath(data)))
    case EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB:
    case EVENT_TYPE.EV_EFI_PLATFORM_FIRMWARE_BLOB2:
      return subject(partOf(pcr), pcr === 0 ? 'firmware volume' : 'firmware blob')
    case EVENT_TYPE.EV_EVENT_TAG:
      return tagged(pcr, data)
    case EVENT_TYPE.EV_IPL:
      return bootLoaderEvent(pcr, data, coverage)
    case EVENT_TYPE.EV_EFI_ACTION:
    case EVENT_TYPE.EV_ACTION:
      return subject(partOf(pcr), `action ${anyText(data) ?? ''}`.trimEnd())
    default:
      return subject(partOf(pcr), plainName(claimedType, data))
  }
}

const variableName = (data: Uint8Array): string => parseEfiVariable(data)?.name ?? 'that cannot be read'
const named = (what: string, path: string | undefined): string =>
  path === undefined || path === '' ? what : `${what} ${path}`

function plainName(type: number, data: Uint8Array): string {
  const name = eventTypeName(type)
  const words = name === undefined ? `event of type 0x${type.toString(16)}` : wordsOf(name)
  const text = data.length <= 64 ? anyText(data) : undefined
  return text === undefined ? words : `${words} ${text}`
}

const wordsOf = (name: string): string =>
  name
    .replace(/^EV_(EFI_)?/, '')
    .toLowerCase()
    .replaceAll('_', ' ')

const LOADER = /(shim|grub|systemd-boot|sd-boot|refind|u-boot|barebox|bootmgfw|loader)[^\\/]*$/i
const SYSTEMD_LOADER = /\\EFI\\systemd\\/i
const KERNEL = /(^|[\\/])(vmlinu[xz]|bzimage|zimage|image|linux|kernel|uki)[^\\/]*$/i
const INITRD = /(^|[\\/])(initrd|initramfs|microcode|ucode|[^\\/]*-ucode)[^\\/]*$/i

export const isBootLoader = (path: string): boolean => LOADER.test(path) || SYSTEMD_LOADER.test(path)

function application(data: Uint8Array, { afterBootLoader, hasImageSections }: BootProgress): EventSubject {
  const path = imageDevicePath(data) ?? ''
  // The fallback name \EFI\BOOT\BOOTX64.EFI says nothing: what follows in the log tells what was there.
  const isKernel = !isBootLoader(path) && (KERNEL.test(path) || afterBootLoader || hasImageSections)
  if (!isKernel) return subject('boot-loader', named('boot loader', path))
  return subject('kernel', named(hasImageSections ? 'unified kernel image' : 'kernel image', path), hasImageSections)
}

const LINUX_STUB_INITRD = 0x8f3b22ec
const LINUX_STUB_OPTIONS = 0x8f3b22ed

function tagged(pcr: number, data: Uint8Array): EventSubject {
  const id = parseTaggedEvent(data)?.id
  const name = id === undefined ? 'tagged event' : (EVENT_TAGS.get(id) ?? `tagged event 0x${id.toString(16)}`)
  if (id === LINUX_STUB_INITRD) return subject('initial-ram-disk', name)
  return subject(id === LINUX_STUB_OPTIONS ? 'command-line' : partOf(pcr), name)
}

/** systemd-stub's names of sections, UAPI.5. Others belong to the kernel image as such. */
const SECTION_PARTS: ReadonlyMap<string, BootPart> = new Map([
  ['.cmdline', 'command-line'],
  ['.initrd', 'initial-ram-disk'],
  ['.ucode', 'initial-ram-disk'],
])

function bootLoaderEvent(pcr: number, data: Uint8Array, coverage: DigestProof['coverage']): EventSubject {
  const text = anyText(data) ?? ''
  switch (pcr) {
    case 8:
      return grubCommand(text)
    case 9:
      if (INITRD.test(text)) return subject('initial-ram-disk', `initial RAM disk ${text}`)
      return KERNEL.test(text) ? subject('kernel', `kernel image ${text}`) : subject('boot-loader', `file ${text}`)
    case 11: {
      const part = SECTION_PARTS.get(text) ?? 'kernel'
      return subject(part, coverage === 'section-name' ? `name of section ${text}` : `section ${text}`)
    }
    case 12:
      return subject('command-line', named('kernel configuration', text))
    case 14:
      return subject('secure-boot', named('owner key list', text))
    default:
      return subject(partOf(pcr), named('boot loader', text))
  }
}

function grubCommand(text: string): EventSubject {
  if (/^(grub_)?kernel_cmdline:? /.test(text)) return subject('command-line', 'kernel command line')
  if (/^(grub_)?module_cmdline:? /.test(text)) return subject('command-line', 'module command line')
  return subject('boot-loader', 'boot loader command')
}
