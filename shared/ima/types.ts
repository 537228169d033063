import type { FindingCode } from '../codes/findings.ts'
import type { OutcomeCode } from '../codes/outcomes.ts'
import type { HashAlgorithm } from '../crypto/crypto.ts'

/** What the kernel measured: the content of a file or buffer, or the fs-verity digest that stands for a file. */
export interface ImaDigest {
  readonly kind: 'content' | 'verity'
  /** The kernel's name of it, such as `sha256` or `streebog512`. */
  readonly algorithm: string
  readonly value: Uint8Array
}

/** The fields of an entry that mean something to a verifier, whichever template carried them. */
export interface ImaFields {
  readonly digest: ImaDigest
  /**
   * The kernel writes spaces as `_`. Of a path that is not UTF-8 each byte from 0x80 on is the code unit 0xdc00 plus
   * the byte, which no decoded text has, so that two paths never read alike.
   */
  readonly path: string
  /** The value of security.ima, or of security.evm where it is a portable signature. Only a claim: ./signature.ts. */
  readonly signature: Uint8Array | null
  /** What was measured, where that is a buffer and no file: template `ima-buf`. */
  readonly buffer: Uint8Array | null
}

/** One entry as it stands in the list. Every field is the device's claim. */
export interface UnverifiedImaEntry extends ImaFields {
  /** Position in the whole list of the boot session, from 0, also where only a suffix was sent. */
  readonly sequence: number
  readonly pcr: number
  readonly template: string
  /** As listed, mostly SHA-1 whatever the bank. Not used for anything but `violation`. */
  readonly templateDigest: Uint8Array
  /** A listed digest of zeros: the kernel could not measure reliably, and invalidated the PCR by extending ones. */
  readonly violation: boolean
  /** What a template digest is the hash of. */
  readonly templateData: Uint8Array
}

/** A list, or the suffix of one from entry `first` on. */
export interface UnverifiedImaList {
  readonly first: number
  readonly entries: readonly UnverifiedImaEntry[]
}

/**
 * How a list extends a bank. `per-bank`: by the bank's own hash over the template data, Linux 5.8 and later.
 * `sha1-padded`: by the SHA-1 digest and zeros, older kernels, so that the entries are proven no better than by SHA-1.
 */
export type PaddingMode = 'per-bank' | 'sha1-padded'

/** How far a list was verified in a boot session: what the collector keeps to ask for the suffix alone. */
export interface ImaBase {
  readonly bank: HashAlgorithm
  /** Number of entries. */
  readonly entries: number
  /** The value of PCR 10 after them. */
  readonly pcr10: Uint8Array
  /** Holds for the whole boot session. In the SHA-1 bank both modes are the same, and this is `per-bank`. */
  readonly paddingMode: PaddingMode
}

declare const replayed: unique symbol

/** An entry whose template data was extended into the PCR 10 that a TPM quoted: all of its fields are the kernel's. */
export interface ReplayedMeasurement extends ImaFields {
  readonly [replayed]: true
  readonly kind: 'measurement'
  readonly sequence: number
  readonly template: string
}

/** An entry that the kernel invalidated. That it happened, and when, is proven; which file it was about is not. */
export interface ReplayedViolation {
  readonly [replayed]: true
  readonly kind: 'violation'
  readonly sequence: number
  readonly template: string
  readonly claimedPath: string
}

export type ReplayedImaEntry = ReplayedMeasurement | ReplayedViolation

/** Entries that lead from a verified base to a quoted PCR 10. Only `verifyImaSuffix` (./replay.ts) makes one. */
export interface VerifiedImaSuffix {
  readonly [replayed]: true
  /** What to keep: the base and the matched entries together. */
  readonly next: ImaBase
  /** How many entries of the suffix the quote covers. */
  readonly matchedEntries: number
  readonly entries: readonly ReplayedImaEntry[]
  /** Entries at the end of the suffix that came after the quote. They are sent again, and proven by the next one. */
  readonly laterEntries: number
}

/** Why a replayed list is not good. A list of these is never read as success when empty: see `ImaVerdict`. */
export interface ImaProblem {
  readonly code: Extract<OutcomeCode | FindingCode, `ima.${string}`>
  /** The entry at fault; absent where one is missing. */
  readonly sequence?: number
  /** For a violation only a claim. */
  readonly path?: string
  readonly detail?: string
}
