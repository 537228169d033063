import { concat, equal, utf8 } from '../bytes/bytes.ts'
import type { HashAlgorithm, HashFunction } from '../crypto/crypto.ts'
import { EVENT_TYPE } from './constants.ts'
import { variableSize, variableValue } from './decode/efi-variable.ts'
import { utf16Text } from './decode/text.ts'
import type { Proof } from './types.ts'

/** Which bytes the digest was found to be the hash of. */
export type Coverage =
  | 'event-data'
  | 'structure' // a UEFI_VARIABLE_DATA without the bytes that a boot loader's event carries behind it
  | 'variable-value' // the value alone: the variable's name is not proven
  | 'without-terminator'
  | 'with-terminator'
  | 'command' // the text behind a boot loader's prefix
  | 'section-name' // the ASCII name of what the log describes in UTF-16

export interface DigestProof {
  readonly proof: Proof
  readonly coverage?: Coverage
}

interface Candidate {
  readonly coverage: Coverage
  /** What may have been hashed; none where the data does not have the form. */
  readonly hashed: (data: Uint8Array) => readonly Uint8Array[]
}

interface DigestRule {
  /** True where the profile defines the digest as a hash of the event data, so that anything else is a contradiction. */
  readonly defined: boolean
  readonly candidates: readonly Candidate[]
}

const whole: Candidate = { coverage: 'event-data', hashed: (data) => [data] }

/** shim before version 15.3 logs up to eight bytes more than it hashes. The structure itself is always whole. */
const MAX_UNHASHED_BYTES = 8
const structure: Candidate = {
  coverage: 'structure',
  hashed: (data) => {
    const size = variableSize(data)
    if (size === undefined) return []
    const cuts = Math.min(data.length - size, MAX_UNHASHED_BYTES)
    return Array.from({ length: cuts }, (_, cut) => data.subarray(0, data.length - 1 - cut))
  },
}

/** EDK II hashes the value of a boot variable alone; the profile wants that of EV_EFI_VARIABLE_BOOT2 with its name. */
const value: Candidate = {
  coverage: 'variable-value',
  hashed: (data) => {
    const bytes = variableValue(data)
    return bytes === undefined ? [] : [bytes]
  },
}

const withoutTerminator: Candidate = {
  coverage: 'without-terminator',
  hashed: (data) => {
    let end = data.length
    while (end > 0 && data.length - end < 2 && data[end - 1] === 0) end--
    return Array.from({ length: data.length - end }, (_, cut) => data.subarray(0, data.length - 1 - cut))
  },
}

/** systemd-boot before version 252 logs one byte less of the UTF-16 terminator than it hashes. */
const withTerminator: Candidate = {
  coverage: 'with-terminator',
  hashed: (data) => [concat(data, Uint8Array.of(0))],
}

/** GRUB measures a command, and logs it behind a word that says what it is; Red Hat's older GRUB without a colon. */
const COMMAND_PREFIXES = [
  'grub_cmd: ',
  'kernel_cmdline: ',
  'module_cmdline: ',
  'grub_cmd ',
  'grub_kernel_cmdline ',
  'grub_module_cmdline ',
].map((prefix) => utf8(prefix))
const command: Candidate = {
  coverage: 'command',
  hashed: (data) => {
    const prefix = COMMAND_PREFIXES.find((known) => known.every((byte, index) => data[index] === byte))
    if (prefix === undefined) return []
    const text = data.subarray(prefix.length)
    return [text, ...withoutTerminator.hashed(text)]
  },
}

/** systemd-stub: the first event of each pair covers the section's name in ASCII with its terminator. */
const sectionName: Candidate = {
  coverage: 'section-name',
  hashed: (data) => {
    const name = utf16Text(data)
    return name !== undefined && /^[\x20-\x7e]+$/.test(name) ? [utf8(`${name}\0`)] : []
  },
}

const DEFINED: DigestRule = { defined: true, candidates: [whole] }
const UNDEFINED: DigestRule = { defined: false, candidates: [whole] }

/** PFP section 10.4.1. Types that are not here may or may not hash their data: it is tried, and proves nothing if not. */
const RULES: ReadonlyMap<number, DigestRule> = new Map([
  [EVENT_TYPE.EV_SEPARATOR, DEFINED],
  [EVENT_TYPE.EV_S_CRTM_VERSION, DEFINED],
  // The profile wants no terminator; some firmware logs one, and hashes it or not.
  [EVENT_TYPE.EV_EFI_ACTION, { defined: true, candidates: [whole, withoutTerminator] }],
  [EVENT_TYPE.EV_EFI_GPT_EVENT, DEFINED],
  [EVENT_TYPE.EV_EFI_GPT_EVENT2, DEFINED],
  [EVENT_TYPE.EV_EFI_VARIABLE_DRIVER_CONFIG, { defined: true, candidates: [whole, structure] }],
  [EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY, { defined: true, candidates: [whole, structure] }],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT, { defined: true, candidates: [whole, value, structure] }],
  [EVENT_TYPE.EV_EFI_VARIABLE_BOOT2, { defined: true, candidates: [whole, value, structure] }],
  [EVENT_TYPE.EV_ACTION, { defined: false, candidates: [whole, withoutTerminator] }],
  [EVENT_TYPE.EV_IPL, { defined: false, candidates: [whole, command, sectionName, withoutTerminator, withTerminator] }],
])

/** Recomputes the digest of an event from its data, as its claimed type defines it. Bounded by the size of the data. */
export function proofOf(
  event: { readonly claimedType: number; readonly digest: Uint8Array; readonly data: Uint8Array },
  bank: HashAlgorithm,
  hash: HashFunction,
): DigestProof {
  const rule = RULES.get(event.claimedType) ?? UNDEFINED
  for (const { coverage, hashed } of rule.candidates) {
    for (const bytes of hashed(event.data)) {
      if (equal(hash(bank, bytes), event.digest)) return { proof: 'data-hashed', coverage }
    }
  }
  return { proof: rule.defined ? 'mismatch' : 'digest-only' }
}
