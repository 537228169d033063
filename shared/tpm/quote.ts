import { equal } from '../bytes/bytes.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { parseQuoteAttest, type ClockInfo, type QuoteAttest } from './attest.ts'
import type { AttestationKey } from './attestation-key.ts'
import type { PcrBank } from './constants.ts'
import {
  pcrDigest,
  selectionEquals,
  selectionIncludes,
  selectionOf,
  type PcrSelection,
  type PcrValues,
} from './pcr-selection.ts'
import { parseSignature, signatureBytes, type TpmSignature } from './signature.ts'

export type QuotableBank = 'sha256' | 'sha384'

export interface QuotePolicy {
  /** Banks that a quote may select. */
  readonly banks: readonly QuotableBank[]
  /** PCRs that a quote must select at least. */
  readonly required: PcrSelection
}

export const DEFAULT_QUOTE_POLICY: QuotePolicy = { banks: ['sha256', 'sha384'], required: [] }

export interface QuoteInput {
  /** TPMS_ATTEST, as received. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE, as received. */
  readonly signature: Uint8Array
  readonly signer: AttestationKey
  /** What the quote must be bound to; never empty. */
  readonly expectedExtraData: Uint8Array
  /** The values that the quoted PCRs are said to have, whoever says so: reported now, or known from before. */
  readonly pcrs: PcrValues
  readonly policy: QuotePolicy
  readonly hash: HashFunction
}

/** As QuoteInput, where the signer's own refusal may stand in for the key that could not be had. */
export interface QuoteAppraisalInput extends Omit<QuoteInput, 'signer'> {
  readonly signer: AttestationKey | OutcomeError
}

declare const verified: unique symbol

/** What a TPM said and every check confirmed. Made by this module alone. */
export interface VerifiedQuote {
  readonly clockInfo: ClockInfo
  readonly firmwareVersion: bigint
  readonly selection: PcrSelection
  readonly pcrDigest: Uint8Array
  /** Exactly the selected PCRs, proven by `pcrDigest`. */
  readonly pcrs: PcrValues
  readonly [verified]: true
}

export type QuoteAppraisal =
  | { readonly quote: VerifiedQuote; readonly failures: readonly [] }
  | { readonly quote: null; readonly failures: readonly [OutcomeError, ...OutcomeError[]] }

interface Subject extends QuoteAppraisalInput {
  readonly parsed: QuoteAttest
  readonly parsedSignature: TpmSignature
}

/** Throws OutcomeError where the quote does not stand it; any other way to end it is a fault of this software. */
type Check = (subject: Subject) => void

/** SHA-1 collides, and no key of this product signs with SHA-512: what is not on the list is refused. */
const SIGNATURE_HASHES: ReadonlySet<string> = new Set(['sha256', 'sha384'])
const QUOTABLE_BANKS: ReadonlySet<string> = new Set<QuotableBank>(['sha256', 'sha384'])

/** PC Client Platform TPM Profile: PCR 16 (debug) and 23 (application) can be reset by software at any time. */
const RESETTABLE_PCRS: ReadonlySet<number> = new Set([16, 23])

function checkSigner({ signer }: Subject): void {
  if (signer instanceof OutcomeError) throw signer
}

function checkHash({ parsedSignature }: Subject): void {
  if (!SIGNATURE_HASHES.has(parsedSignature.hash)) throw new OutcomeError('quote.hash-refused', parsedSignature.hash)
}

function checkScheme({ signer, parsedSignature }: Subject): void {
  if (signer instanceof OutcomeError) return // refused by checkSigner
  const { scheme } = signer.area
  if (scheme?.scheme !== parsedSignature.scheme || scheme.hash !== parsedSignature.hash) {
    throw new OutcomeError('quote.scheme-refused', `${parsedSignature.scheme} with ${parsedSignature.hash}`)
  }
}

function checkSignature({ signer, attest, parsedSignature }: Subject): void {
  if (signer instanceof OutcomeError) return // refused by checkSigner
  if (signer.key.verify(attest, signatureBytes(parsedSignature, signer.area)) !== true) {
    throw new OutcomeError('quote.signature-invalid')
  }
}

function checkSignerName({ signer, parsed }: Subject): void {
  if (signer instanceof OutcomeError) return // refused by checkSigner
  if (!equal(parsed.qualifiedSigner, signer.qualifiedName)) throw new OutcomeError('quote.signer-mismatch')
}

function checkExtraData({ parsed, expectedExtraData }: Subject): void {
  if (parsed.extraData.length === 0) throw new OutcomeError('quote.nonce-empty')
  if (!equal(parsed.extraData, expectedExtraData)) throw new OutcomeError('quote.nonce-mismatch')
}

function checkBanks({ parsed, policy }: Subject): void {
  for (const { bank } of parsed.selection) {
    const allowed = QUOTABLE_BANKS.has(bank) && policy.banks.some((name) => name === bank)
    if (!allowed) throw new OutcomeError('quote.bank-refused', bank)
  }
}

function checkResettable({ parsed }: Subject): void {
  for (const { pcrs } of parsed.selection) {
    const pcr = pcrs.find((index) => RESETTABLE_PCRS.has(index))
    if (pcr !== undefined) throw new OutcomeError('quote.resettable-pcr', `PCR ${pcr}`)
  }
}

function checkSelection({ parsed, pcrs, policy }: Subject): void {
  const known = selectionOf(pcrs)
  // A quote over nothing would prove nothing about the boot, whatever its signature says.
  if (parsed.selection.every((entry) => entry.pcrs.length === 0)) {
    throw new OutcomeError('quote.selection-mismatch', 'the quote selects no PCR')
  }
  if (!selectionIncludes(parsed.selection, policy.required)) {
    throw new OutcomeError('quote.selection-mismatch', 'a required PCR is not quoted')
  }
  if (known.length === 0) throw new OutcomeError('quote.pcrs-missing')
  if (!selectionEquals(parsed.selection, known)) throw new OutcomeError('quote.selection-mismatch')
}

function checkPcrDigest({ parsed, parsedSignature, pcrs, hash }: Subject): void {
  const digest = pcrDigest(hash, parsedSignature.hash, pcrs, parsed.selection)
  if (!equal(digest, parsed.pcrDigest)) throw new OutcomeError('quote.pcr-digest-mismatch')
}

/** In the order in which failures are told. */
const CHECKS: readonly Check[] = [
  checkSigner,
  checkHash,
  checkScheme,
  checkSignature,
  checkSignerName,
  checkExtraData,
  checkBanks,
  checkResettable,
  checkSelection,
  checkPcrDigest,
]

/** What was verified stays as it is, whatever becomes of the memory that it was read from. */
function copyOf(values: PcrValues): PcrValues {
  const copy = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>()
  for (const [bank, pcrs] of values) {
    const bankCopy = new Map<number, Uint8Array>()
    for (const [pcr, value] of pcrs) bankCopy.set(pcr, value.slice())
    copy.set(bank, bankCopy)
  }
  return copy
}

/**
 * Puts a quote through every check and tells all that it fails, in order. There is a VerifiedQuote only where every
 * check ran and none failed. Two structures that cannot be read end it at once: there is nothing to check.
 */
export function appraiseQuote(input: QuoteAppraisalInput): QuoteAppraisal {
  const failures: OutcomeError[] = []
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      failures.push(error)
      return undefined
    }
  }

  const parsed = attempt(() => parseQuoteAttest(input.attest))
  const parsedSignature = attempt(() => parseSignature(input.signature))
  if (parsed !== undefined && parsedSignature !== undefined) {
    const { attest, signature, signer, expectedExtraData, pcrs, policy, hash } = input
    const subject = { attest, signature, signer, expectedExtraData, pcrs, policy, hash, parsed, parsedSignature }
    for (const check of CHECKS) attempt(() => check(subject))
    if (failures.length === 0) {
      const { clockInfo, firmwareVersion, selection, pcrDigest } = parsed
      const facts = { clockInfo, firmwareVersion, selection, pcrDigest: pcrDigest.slice(), pcrs: copyOf(input.pcrs) }
      return { quote: facts as VerifiedQuote, failures: [] }
    }
  }
  const [first, ...others] = failures
  // Unreachable while every undefined above has pushed its failure; if that ever changes, this must not pass.
  if (first === undefined) throw new Error('a quote was refused without a reason')
  return { quote: null, failures: [first, ...others] }
}

/** As `appraiseQuote`, throwing the first failure. */
export function verifyQuote(input: QuoteInput): VerifiedQuote {
  const { quote, failures } = appraiseQuote(input)
  if (quote === null) throw failures[0]
  return quote
}
