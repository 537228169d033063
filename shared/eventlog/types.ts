import type { HashAlgorithm } from '../crypto/crypto.ts'

/** A digest algorithm that the log carries. `bank` is absent where this software cannot compute the algorithm. */
export interface LogAlgorithm {
  readonly id: number
  /** Bytes of a digest. */
  readonly size: number
  readonly bank?: HashAlgorithm
}

/** TCG_PCClientPCREvent or TCG_PCR_EVENT2 as it stands in the log. Every field is the device's claim. */
export interface UnverifiedEvent {
  /** Position in the log; 0 is the first event, the Spec ID event included. */
  readonly sequence: number
  /** Where the event begins, in bytes from the start of the log. */
  readonly offset: number
  /** 0 to 23, or an index that is no PCR (`isOutsideOfPcrs`). */
  readonly pcr: number
  readonly type: number
  /** Only of the algorithms that this software can compute. A bank that the event does not carry is absent. */
  readonly digests: ReadonlyMap<HashAlgorithm, Uint8Array>
  readonly data: Uint8Array
}

export interface UnverifiedEventLog {
  readonly format: 'sha1' | 'crypto-agile'
  /** From the Spec ID event; SHA-1 alone in the older format. */
  readonly algorithms: readonly LogAlgorithm[]
  readonly events: readonly UnverifiedEvent[]
  /** Bytes of padding after the last event. */
  readonly trailingBytes: number
}

/**
 * How much of an event its digest proves. `data-hashed`: the digest is the hash of the event data (`hashed` tells
 * which part), so what the data says was really extended. `digest-only`: the digest covers something that is not in
 * the log, such as an image; the data is a hint. `mismatch`: the type defines the digest as a hash of the data, and
 * it is not; nothing that the data says may be believed.
 */
export type Proof = 'data-hashed' | 'digest-only' | 'mismatch'

declare const replayed: unique symbol

/**
 * An event whose digest was extended into a PCR value that a TPM quoted. Its PCR, its digest and its place among the
 * events of that PCR are proven. Its data is proven only as far as `proofOf` (./digests.ts) says, and `claimedType`
 * never: no digest covers it.
 */
export interface ReplayedEvent {
  readonly [replayed]: true
  readonly sequence: number
  readonly pcr: number
  readonly claimedType: number
  /** In the bank of the log that holds the event. */
  readonly digest: Uint8Array
  readonly data: Uint8Array
}

/** What is known of one quoted PCR. */
export type ReplayedPcr =
  /** The logged events lead to the quoted value, if need be followed by `late`: measurements known by their text. */
  | { readonly status: 'replayed'; readonly events: number; readonly late: readonly string[] }
  /** The log has no event for it, and it still holds the value that it has after a reset. */
  | { readonly status: 'untouched' }
  /** The log has no event for it, and something has extended it: its value is proven, its history is not. */
  | { readonly status: 'not-logged' }

/** An event log that leads to the PCR values of a verified quote. Only `verifyEventLog` (./match.ts) makes one. */
export interface ReplayedLog {
  readonly [replayed]: true
  readonly bank: HashAlgorithm
  /** Locality of TPM2_Startup, proven by PCR 0 where that is replayed. */
  readonly startupLocality: number
  readonly pcrs: ReadonlyMap<number, ReplayedPcr>
  /** In log order, of replayed PCRs only. Events that no quoted PCR proves are not among them. */
  readonly events: readonly ReplayedEvent[]
  /** Events at the end of the log that came after the quote. */
  readonly laterEvents: number
}
