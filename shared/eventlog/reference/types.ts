import type { HashAlgorithm } from '../../crypto/crypto.ts'

/** Which part of a boot an event measures. It decides what a difference is called, and is as much a hint as a path. */
export type BootPart =
  | 'firmware'
  | 'option-rom'
  | 'configuration'
  | 'secure-boot'
  | 'boot-loader'
  | 'kernel'
  | 'initial-ram-disk'
  | 'command-line'
  | 'other'

/** What an event is about, told from its place, its claimed type and its data. */
export interface EventSubject {
  readonly part: BootPart
  /** In words: `kernel image \EFI\Linux\gateway.efi`, `variable BootOrder`. */
  readonly name: string
  /** A unified kernel image, whose sections are measured one by one into PCR 11. */
  readonly isContainer: boolean
}

/** One event that a boot of the product is supposed to measure, at its place among the events of its PCR. */
export interface EventRule extends EventSubject {
  readonly type: number
  /** Whether the digest is known to be the hash of the event data; then that of a device's event has to be, too. */
  readonly isDataHashed: boolean
  /** Lower-case hexadecimal; null where every digest is allowed. */
  readonly digests: readonly string[] | null
  /** Whether a boot may be without it. */
  readonly isOptional: boolean
  /** What the event says, in words: told as the approved state when a device differs. */
  readonly description: string
}

export interface PcrRules {
  readonly pcr: number
  /** Whether events on the same side of the PCR's separator may come in another order than that of the rules. */
  readonly isUnordered: boolean
  readonly rules: readonly EventRule[]
}

/**
 * Reference values of a measured boot at the level of events, of one bank. A PCR that firmware never extended, or
 * whose history is not logged, is not in it.
 */
export interface BootReference {
  readonly bank: HashAlgorithm
  /** Where TPM2_Startup came from: PCR 0 begins with it, so that it is measured without an event. */
  readonly startupLocality: number
  /** Ascending. */
  readonly pcrs: readonly PcrRules[]
}

/** A rule and an event that do not go together. `before` is absent for an added event, `after` for a removed one. */
export interface EventDifference extends EventSubject {
  readonly kind: 'changed' | 'added' | 'removed' | 'moved'
  readonly pcr: number
  readonly before?: { readonly digests: readonly string[] | null; readonly description: string }
  readonly after?: { readonly digest: string; readonly description: string; readonly sequence: number }
}
