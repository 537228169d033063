import type { SecureBootWeakness } from './secure-boot-state.ts'

/**
 * What firmware says in PCR 7 by EV_EFI_ACTION: PFP section 10.4.4, and texts of real firmware besides. None of them
 * changes whether Secure Boot is enforced, all of them make it worth less, so they count at any place: firmware differs
 * in where it measures them, before the configuration, after it or after the separator.
 */
const ACTIONS: ReadonlyMap<string, SecureBootWeakness> = new Map([
  ['UEFI Debug Mode', 'debug-mode'],
  ['DMA Protection Disabled', 'dma-protection-disabled'],
  // Intel's reference firmware, of Thunderbolt: devices that anybody plugs in may read memory.
  ['Security Level is Downgraded to 0', 'dma-protection-disabled'],
])

/** Texts of the profile have up to 50 characters; those of vendors who list their settings have more. */
const MAX_TEXT_SIZE = 1024
const PRINTABLE = /^[\x20-\x7e]{5,}$/

/**
 * `data`: of an event whose digest covers it. Undefined for data that is not a line of printable ASCII, with or without
 * terminators: that might be a variable or a separator under a false type. A text cannot be one, since the size fields
 * of UEFI_VARIABLE_DATA end in zeros and a separator has four bytes.
 */
export function weaknessOfAction(data: Uint8Array): SecureBootWeakness | undefined {
  const text = String.fromCharCode(...data.subarray(0, MAX_TEXT_SIZE + 1)).replace(/\0+$/, '')
  if (text.length > MAX_TEXT_SIZE || !PRINTABLE.test(text)) return undefined
  return ACTIONS.get(text) ?? 'unrecognised-action'
}
