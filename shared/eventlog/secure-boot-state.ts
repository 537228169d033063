import type { CertificateSummary } from './decode/certificate.ts'
import type { EventLogProblem } from './problem.ts'

/** Facts that make an enabled Secure Boot worth less, each proven by an event in PCR 7. */
export type SecureBootWeakness =
  /** A debugger was attached to the firmware. */
  | 'debug-mode'
  /** Devices could reach memory before the operating system restrains them. */
  | 'dma-protection-disabled'
  /** The owner told shim not to check what it loads. */
  | 'shim-validation-disabled'
  /** No platform key: anybody may change the databases. */
  | 'setup-mode'
  /** Violations are recorded and not prevented. */
  | 'audit-mode'
  /** Firmware reported something about its settings that this software does not know. */
  | 'unrecognised-action'

/** The contents of PK, KEK, db or dbx as measured. */
export interface SignatureDatabase {
  readonly certificates: readonly CertificateSummary[]
  /** Number of SHA-256 image hashes. */
  readonly hashes: number
  /** Number of entries of other kinds, such as hashes of certificates. */
  readonly others: number
  /** What was measured, in lower-case hexadecimal of the bank: equal exactly for equal contents. */
  readonly digest: string
}

/** What allowed an image to be started, in boot order. */
export interface BootAuthority {
  readonly sequence: number
  /** Before the separator of PCR 7 firmware alone has run: drivers and option ROMs. */
  readonly phase: 'before-separator' | 'after-separator'
  /** The variable that held it: `db` of the firmware, `Shim` (built in), `MokList` (enrolled by the owner), ... */
  readonly variable: string
  readonly certificate?: CertificateSummary
  /** Hash of the one image that it allows, lower-case hexadecimal. */
  readonly imageHash?: string
}

/** Revocations by generation that shim enforces: the CSV text of its SbatLevel variable. */
export interface SbatLevel {
  /** Date of the revocation list, as `2023012900`. */
  readonly date: string
  /** Lowest generation still accepted, by component. */
  readonly generations: Readonly<Record<string, number>>
}

export interface SecureBootState {
  /** `quote`: proven by a verified quote. `log`: what an unverified log claims. */
  readonly basis: 'quote' | 'log'
  /** Whether firmware enforced Secure Boot. `unknown` whenever there is any problem. */
  readonly enabled: boolean | 'unknown'
  readonly setupMode: boolean | 'unknown'
  readonly weaknesses: readonly SecureBootWeakness[]
  readonly platformKey: SignatureDatabase | 'unknown'
  readonly keyExchangeKeys: SignatureDatabase | 'unknown'
  readonly allowed: SignatureDatabase | 'unknown'
  readonly forbidden: SignatureDatabase | 'unknown'
  readonly authorities: readonly BootAuthority[]
  readonly sbatLevel: SbatLevel | 'unknown'
  readonly problems: readonly EventLogProblem[]
}
