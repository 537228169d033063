import type { Coverage } from '../digests.ts'
import { anyText, utf8Text } from './text.ts'

/** PCRs by their use on Linux: UAPI.7, the Linux TPM PCR Registry. */
const GRUB_COMMANDS = 8
const GRUB_FILES = 9
const UNIFIED_KERNEL_IMAGE = 11
const KERNEL_CONFIGURATION = 12
const SYSTEM_EXTENSIONS = 13
const SHIM = 14

/** Words that GRUB puts before what it measures, with a colon or, in Red Hat's older one, without. */
const GRUB_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^grub_cmd:? /, 'boot loader command '],
  [/^(grub_)?kernel_cmdline:? /, 'kernel command line '],
  [/^(grub_)?module_cmdline:? /, 'boot module '],
]

/** What an EV_IPL event says, by the PCR that tells who wrote it. Undefined for data that is no text. */
export function describeBootLoaderEvent(pcr: number, data: Uint8Array, coverage?: Coverage): string | undefined {
  const text = anyText(data)
  if (text === undefined) return undefined
  switch (pcr) {
    case GRUB_COMMANDS:
      return grubCommand(data, text)
    case GRUB_FILES:
      return `file ${text}`
    case UNIFIED_KERNEL_IMAGE:
      return `${coverage === 'section-name' ? 'name' : 'content'} of section ${text} of the unified kernel image`
    case KERNEL_CONFIGURATION:
    case SYSTEM_EXTENSIONS:
      return systemdStubEvent(pcr, text)
    case SHIM:
      return `${text}, by shim`
    default:
      return text
  }
}

function grubCommand(data: Uint8Array, text: string): string {
  for (const [word, meaning] of GRUB_WORDS) if (word.test(text)) return text.replace(word, meaning)
  // systemd-boot measured the UTF-16 command line here until version 251, and the EFI stub of Linux gets it so too.
  return `${utf8Text(data) === undefined ? 'kernel command line' : 'boot loader command'} ${text}`
}

/** systemd.io/TPM2_PCR_MEASUREMENTS: archives that systemd-stub makes say by their name what is in them. */
function systemdStubEvent(pcr: number, text: string): string {
  if (/\binitrd$/i.test(text)) return `${text}, by systemd-stub`
  return pcr === KERNEL_CONFIGURATION ? `kernel configuration: ${text}` : `system extension ${text}`
}
