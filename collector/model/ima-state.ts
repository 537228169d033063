import type { ImaBase } from '../../shared/ima/types.ts'

/**
 * What is known of the files that a device has measured. `not-appraised`: it sends its list, and there is no policy to
 * judge all of it by; never good. `not-reported`: it sends none.
 */
export type ImaVerdict = 'accepted' | 'refused' | 'not-appraised' | 'not-reported'

/** Whether a list belongs to the boot that the firmware's PCRs tell of. */
export type BootAggregateStatus = 'matches' | 'unchecked' | 'refused'

/** The kernel's measurement list of one boot, as far as it was verified. */
export interface ImaState {
  /** The kernel's boot id. Only a claim: a false one costs the device the sending of the whole list. */
  readonly bootSeed: Uint8Array
  /** null: nothing was verified yet. Nothing but a verified list ever changes it. */
  readonly base: ImaBase | null
  readonly verdict: ImaVerdict
  readonly summary: ImaSummary
}

/** About the verified entries of the boot. Plain JSON. */
export interface ImaSummary {
  /** Of the quote that proved the first of them: a TPM that was reset since has another boot behind it. */
  readonly resetCount: number | null
  readonly aggregate: BootAggregateStatus
  /** Entries that the policy allowed, and entries for which there was no policy. */
  readonly allowed: number
  readonly unjudged: number
  /** What one pattern of the policy let pass: the holes in the judgement, which have to be seen. */
  readonly excluded: readonly { readonly pattern: string; readonly entries: number }[]
  readonly problems: number
  /** Problems without a finding of their own, by code: there were too many. */
  readonly untold: Readonly<Record<string, number>>
  /** PCR 10 (hexadecimal) of the newest list that was refused, and why; null once one was verified. */
  readonly refused: { readonly pcr10: string; readonly reason: string } | null
  /** Since when (ms) PCR 10 goes on and no list explains it, and whether a finding says so; null while one does. */
  readonly missing: { readonly since: number; readonly told: boolean } | null
  /** Digests (hexadecimal) of lists that were named and could not be verified yet. */
  readonly waiting: readonly string[]
}

export const initialImaSummary: ImaSummary = {
  resetCount: null,
  aggregate: 'unchecked',
  allowed: 0,
  unjudged: 0,
  excluded: [],
  problems: 0,
  untold: {},
  refused: null,
  missing: null,
  waiting: [],
}
