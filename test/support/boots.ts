import { hash } from '../../shared/crypto/node.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import { application, firmwarePart } from '../../deploy/simulator/boot/grub-boot.ts'
import { agileLog, ascii, pcrsOf, u32, utf16, type EventSpec } from './eventlog-builder.ts'

export * from '../../deploy/simulator/boot/grub-boot.ts'

/** A log as a quote has proven it: of these events, by the values that they lead to. */
export function provenLog(events: readonly EventSpec[], locality = 0): ReplayedLog {
  return verifyEventLog(parseEventLog(agileLog(events)), 'sha256', pcrsOf(events, 'sha256', locality), hash)
}

export const section = (name: string, content: string): readonly EventSpec[] => [
  { pcr: 11, type: 'EV_IPL', data: utf16(`${name}\0`), hashed: ascii(`${name}\0`) },
  { pcr: 11, type: 'EV_IPL', data: utf16(`${name}\0`), hashed: ascii(content) },
]

/** A boot of a unified kernel image. */
export const unifiedBoot = ({
  kernel = 'kernel 1',
  commandLine = 'ro',
  initrd = 'initrd',
  stub = 'stub',
} = {}): EventSpec[] => [
  ...firmwarePart(),
  application('\\EFI\\BOOT\\BOOTX64.EFI', [stub, kernel, commandLine, initrd].join()),
  ...section('.linux', kernel),
  ...section('.cmdline', commandLine),
  ...section('.initrd', initrd),
  { pcr: 9, type: 'EV_EVENT_TAG', data: Buffer.concat([u32(0x8f3b22ed), u32(0)]), hashed: utf16(commandLine) },
]
