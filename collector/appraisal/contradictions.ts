import type { HashFunction } from '../../shared/crypto/crypto.ts'
import { measuredCommandLine, type MeasuredCommandLine } from '../../shared/eventlog/command-line.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import { maskUnitValues, wordsOf } from '../../shared/posture/command-line.ts'
import type { BootContent } from '../../shared/posture/sections/boot.ts'
import { printable } from '../../shared/text/printable.ts'
import type { Deviation } from './context.ts'

/** What a proven boot log says about the facts that a boot section asserts. Undefined where it does not say. */
export interface ProvenFacts {
  readonly secureBoot: boolean | undefined
  readonly commandLine: MeasuredCommandLine | undefined
}

export function provenFacts(log: ReplayedLog, hash: HashFunction): ProvenFacts {
  const { enabled } = secureBootState(log, hash)
  return {
    secureBoot: enabled === 'unknown' ? undefined : enabled,
    commandLine: measuredCommandLine(log, hash),
  }
}

/**
 * Facts that the agent asserts and the log disproves. Only what cannot be otherwise is one. The variable SetupMode is
 * not compared: it follows the platform key, which may be enrolled or removed while the system runs (UEFI 2.10,
 * section 32.3); SecureBoot keeps its value until the next boot. The version of the firmware is not compared either:
 * EV_S_CRTM_VERSION is that of the root of trust, in a vendor's own form.
 */
export function contradictions(facts: ProvenFacts, content: BootContent): readonly Deviation[] {
  const found: Deviation[] = []
  const { secureBoot, commandLine } = content
  if (facts.secureBoot !== undefined && 'value' in secureBoot && secureBoot.value !== facts.secureBoot) {
    const text = (value: boolean): string => (value ? 'on' : 'off')
    found.push(contradiction('secure-boot', text(facts.secureBoot), text(secureBoot.value)))
  }
  if (facts.commandLine !== undefined && 'value' in commandLine) {
    const asserted = bytesOfPrintable(commandLine.value)
    if (asserted !== undefined && isOther(facts.commandLine, asserted)) {
      const proven = printable(maskUnitValues(facts.commandLine.text)).slice(0, MAX_SHOWN)
      found.push(contradiction('command-line', proven, commandLine.value.slice(0, MAX_SHOWN)))
    }
  }
  return found
}

const MAX_SHOWN = 1024

const contradiction = (subject: string, proven: string, asserted: string): Deviation => ({
  code: 'boot.fact-contradicted',
  subject,
  before: proven,
  after: asserted,
})

/** The bytes behind the agent's notation; undefined for a line that was cut, which proves nothing about its end. */
function bytesOfPrintable(text: string): string | undefined {
  if (/\\(?!x[0-9a-f]{2})/.test(text)) return undefined
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  return bytes.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** COMMAND_LINE_SIZE of the architecture that has least, with its terminator. What is longer may be cut by the kernel. */
const SURELY_KEPT = 511

/**
 * Whether the kernel cannot have been started with the measured line and tell the asserted one. A kernel may put
 * built-in parameters before or after what it is given, so that the measured words have to be found in one piece.
 * GRUB's are told behind the word BOOT_IMAGE=; without that word another program than GRUB has started the kernel.
 */
function isOther({ loader, text }: MeasuredCommandLine, asserted: string): boolean {
  const measured = kernelPart(comparable(surelyKept(text)))
  if (measured.length === 0) return false
  if (loader === 'systemd-boot') return !asserted.includes('BOOT_IMAGE=') && !holds(comparable(asserted), measured)
  const [image = '', ...parameters] = measured
  const words = comparable(asserted)
  return words.some((word) => word.startsWith('BOOT_IMAGE=')) && !holds(words, [`BOOT_IMAGE=${image}`, ...parameters])
}

/** Cut in the middle of a word, the word is left out. */
function surelyKept(text: string): string {
  return text.length <= SURELY_KEPT ? text : text.slice(0, SURELY_KEPT).replace(/\S*$/, '')
}

/** What stands behind -- is for init, and a bootconfig puts more before it. */
function kernelPart(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  return end < 0 ? words : words.slice(0, end)
}

/** Without initrd=, which names a file for the boot loader and is handed on or not. */
const comparable = (line: string): readonly string[] =>
  wordsOf(maskUnitValues(line)).filter((word) => !word.startsWith('initrd='))

function holds(words: readonly string[], part: readonly string[]): boolean {
  return words.some((_, start) => part.every((word, index) => words[start + index] === word))
}
