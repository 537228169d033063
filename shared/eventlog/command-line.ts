import type { HashFunction } from '../crypto/crypto.ts'
import { utf8 } from '../bytes/bytes.ts'
import { EVENT_TYPE } from './constants.ts'
import { utf16Text, utf8Text } from './decode/text.ts'
import { proofOf } from './digests.ts'
import type { ReplayedEvent, ReplayedLog } from './types.ts'

/** A kernel command line that a boot loader measured, and with it handed to the kernel. */
export interface MeasuredCommandLine {
  readonly loader: 'grub' | 'systemd-boot'
  /** One character for each byte: nothing makes a command line UTF-8. */
  readonly text: string
}

/** PCRs by their use on Linux: the UAPI group's Linux TPM PCR Registry. systemd-boot before version 251 used PCR 8. */
const GRUB_COMMANDS = 8
const UNIFIED_KERNEL_IMAGE = 11
const LOAD_OPTIONS = [12, 8] as const

const GRUB_COMMAND_LINE = /^(?:kernel_cmdline: |grub_kernel_cmdline )/

/**
 * The command line that a proven log shows the kernel was started with. Undefined wherever that is not certain:
 * without an event whose digest covers its text, and with a unified kernel image, which decides for itself whether it
 * takes what a boot loader hands it (the digest of its own .cmdline section proves no text that is in the log).
 */
export function measuredCommandLine(log: ReplayedLog, hash: HashFunction): MeasuredCommandLine | undefined {
  const events = log.events.filter(({ claimedType }) => claimedType === EVENT_TYPE.EV_IPL)
  return grubCommandLine(log, events, hash) ?? loadOptions(log, events, hash)
}

/** The last one counts: each `linux` command of GRUB replaces what an earlier one has loaded. */
function grubCommandLine(
  log: ReplayedLog,
  events: readonly ReplayedEvent[],
  hash: HashFunction,
): MeasuredCommandLine | undefined {
  const last = events.findLast(({ pcr, data }) => pcr === GRUB_COMMANDS && GRUB_COMMAND_LINE.test(bytesOf(data)))
  if (last === undefined || proofOf(last, log.bank, hash).proof !== 'data-hashed') return undefined
  return { loader: 'grub', text: bytesOf(last.data).replace(GRUB_COMMAND_LINE, '').replace(/\0$/, '') }
}

/**
 * What systemd-boot starts a kernel with, in UTF-16. With an initrd= in it, it is that of a kernel and of no unified
 * image, whose initrd is inside. The kernel's EFI stub takes it up to a line break.
 */
function loadOptions(
  log: ReplayedLog,
  events: readonly ReplayedEvent[],
  hash: HashFunction,
): MeasuredCommandLine | undefined {
  if (log.pcrs.get(UNIFIED_KERNEL_IMAGE)?.status !== 'untouched') return undefined
  for (const pcr of LOAD_OPTIONS) {
    const last = events.findLast((event) => event.pcr === pcr)
    if (last === undefined) continue
    const [options = ''] = (utf8Text(last.data) === undefined ? utf16Text(last.data) : undefined)?.split('\n') ?? []
    if (proofOf(last, log.bank, hash).proof !== 'data-hashed' || !/(?:^|\s)initrd=/.test(options)) return undefined
    return { loader: 'systemd-boot', text: bytesOf(utf8(options)) }
  }
  return undefined
}

function bytesOf(data: Uint8Array): string {
  let text = ''
  for (const byte of data) text += String.fromCharCode(byte)
  return text
}
