import type { ErrorCode } from '../../codes/errors.ts'
import { findings, type FindingCode } from '../../codes/findings.ts'
import { outcomes, type OutcomeCode } from '../../codes/outcomes.ts'
import type { HashFunction, PublicKeyImporter } from '../../crypto/crypto.ts'
import { OutcomeError } from '../../errors.ts'
import type { BootAggregateCheck } from '../../ima/boot-aggregate.ts'
import type { PaddingMode } from '../../ima/types.ts'
import type { SecureBootState } from '../../eventlog/secure-boot-state.ts'
import type { HashAlgorithm } from '../../crypto/crypto.ts'

/** What the appraisal of a boot without a server concludes: one verdict for each part, and one over all. */

export type PartName =
  | 'quote'
  | 'key'
  | 'endorsement'
  | 'event log'
  | 'firmware PCRs'
  | 'secure boot'
  | 'boot coverage'
  | 'kernel list'
  | 'boot aggregate'

/**
 * `weak`: proven, and not what a boot should be (Secure Boot off, a PCR that firmware never extended). `not-appraised`
 * is never to be read as good: the summary says why.
 */
export type PartStatus = 'good' | 'weak' | 'failed' | 'not-appraised'

export interface PartFailure {
  readonly code: OutcomeCode | FindingCode | ErrorCode
  readonly detail: string
  /** What to do next. */
  readonly remedy: string
}

export interface BootPart {
  readonly part: PartName
  readonly status: PartStatus
  /** Without it there is no good boot: what was given has to be good, and a quote and a boot log have to be given. */
  readonly essential: boolean
  /** One line for people. May hold texts of the device: make it printable. */
  readonly summary: string
  /** None unless the status is `failed`. */
  readonly failures: readonly PartFailure[]
}

/** Of TPMS_ATTEST. Only as true as the part `quote` is good. */
export interface QuoteFacts {
  readonly qualifiedSigner: string
  readonly extraData: string
  readonly clockMs: number
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
  /** Of the TPM, 16 hexadecimal digits. */
  readonly firmwareVersion: string
  /** `sha256:0-14` */
  readonly selection: string
  readonly pcrDigest: string
}

export interface LogFacts {
  readonly bank: HashAlgorithm
  readonly events: number
  /** After the quote. */
  readonly laterEvents: number
  readonly startupLocality: number
  /** Measurements that came after the log was closed, known by their text. */
  readonly late: readonly { readonly pcr: number; readonly words: readonly string[] }[]
  /** Quoted PCRs that were extended without any event. */
  readonly notLogged: readonly number[]
}

export interface KernelListFacts {
  readonly bank: HashAlgorithm
  readonly entries: number
  readonly matchedEntries: number
  readonly laterEntries: number
  readonly paddingMode: PaddingMode
  readonly violations: readonly { readonly sequence: number; readonly path: string }[]
}

export interface BootReport {
  readonly verdict: 'good' | 'failed' | 'not-appraised'
  readonly parts: readonly BootPart[]
  /** Null where it cannot be read. */
  readonly quote: QuoteFacts | null
  /** Quoted values in lower-case hexadecimal by bank and PCR; null unless the quote proves them. */
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>> | null
  /** Whether the values were given, or are those that the logs lead to. */
  readonly pcrsFrom: 'file' | 'replay' | null
  /** One for each quoted bank that the log leads to. */
  readonly eventLog: readonly LogFacts[]
  readonly secureBoot: SecureBootState | null
  readonly kernelList: readonly KernelListFacts[]
  readonly bootAggregate: BootAggregateCheck | null
}

export interface BootPrimitives {
  readonly hash: HashFunction
  readonly importer: PublicKeyImporter
}

export const good = (part: PartName, summary: string): BootPart => ({
  part,
  status: 'good',
  essential: true,
  summary,
  failures: [],
})

export const weak = (part: PartName, summary: string): BootPart => ({ ...good(part, summary), status: 'weak' })

export const notAppraised = (part: PartName, essential: boolean, summary: string): BootPart => ({
  ...good(part, summary),
  status: 'not-appraised',
  essential,
})

/** Throws where there is no failure: a part must not fail without a reason, nor pass because a list is empty. */
export function failed(part: PartName, failures: readonly PartFailure[], prefix = ''): BootPart {
  const [first] = failures
  if (first === undefined) throw new Error(`${part} failed without a reason`)
  const more = failures.length === 1 ? '' : `, and ${failures.length - 1} more`
  return { ...good(part, `${prefix}${first.detail}${more}`), status: 'failed', failures }
}

export const failureOf = (error: OutcomeError, remedy: string = error.remedy): PartFailure => ({
  code: error.code,
  detail: error.message,
  remedy,
})

/** Of something that was found in what is proven; the detail defaults to the title of the code. */
export function failureOfCode(code: OutcomeCode | FindingCode, detail: string | undefined): PartFailure {
  const { title, remedy } = code in findings ? findings[code as FindingCode] : outcomes[code as OutcomeCode]
  return { code, detail: detail === undefined ? title : `${title}: ${detail}`, remedy }
}

/** Good only where there are parts, all that matter are good, and none speaks against the boot. */
export function verdictOf(parts: readonly BootPart[]): BootReport['verdict'] {
  if (parts.some(({ status }) => status === 'failed' || status === 'weak')) return 'failed'
  const essential = parts.filter((part) => part.essential)
  return essential.length > 0 && essential.every(({ status }) => status === 'good') ? 'good' : 'not-appraised'
}
