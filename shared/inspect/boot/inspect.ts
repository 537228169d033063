import { toHex } from '../../bytes/bytes.ts'
import { OutcomeError, outcomeOf } from '../../errors.ts'
import { parseEventLog } from '../../eventlog/parse.ts'
import { detectImaFormat } from '../../ima/detect.ts'
import { parseAsciiImaList } from '../../ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../ima/parse-binary.ts'
import type { UnverifiedImaList } from '../../ima/types.ts'
import { parseQuoteAttest, type QuoteAttest } from '../../tpm/attest.ts'
import type { PcrValues } from '../../tpm/pcr-selection.ts'
import type { PublicArea } from '../../tpm/public.ts'
import { appraiseQuote, type VerifiedQuote } from '../../tpm/quote.ts'
import { parseSignature, type TpmSignature } from '../../tpm/signature.ts'
import { selectionText } from '../quote.ts'
import { appraiseKernelList } from './kernel.ts'
import { appraiseKey, type AppraisedKey, type BootKey } from './key.ts'
import { appraiseLog, coveragePart } from './log.ts'
import { parsePcrFile } from './pcr-file.ts'
import {
  failed,
  failureOf,
  good,
  notAppraised,
  verdictOf,
  type BootPart,
  type BootPrimitives,
  type BootReport,
  type PartFailure,
  type PartName,
  type QuoteFacts,
} from './report.ts'
import { valuesFromLogs } from './values.ts'

/** The files of one device, as read. Null: not given. */
export interface BootFiles {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  readonly key: BootKey
  /** The raw qualifying data that the quote must carry. */
  readonly nonce: Uint8Array
  /** A file of tpm2-tools, or values as an evidence reports them. */
  readonly pcrs: Uint8Array | PcrValues | null
  readonly eventLog: Uint8Array | null
  readonly ima: Uint8Array | null
  /** Public areas that the endorsement key may have. */
  readonly endorsementKeys: readonly PublicArea[]
  /** What became of the chain of the EK certificate, whose check is not part of `shared`. */
  readonly endorsement: BootPart | null
}

const BANKS = ['sha256', 'sha384'] as const
const PCRS_REMEDY =
  'Give the values as --pcrs: what tpm2_quote --pcr writes, or tpm2_pcrread prints at the time of the quote.'

/**
 * Appraises the files of one boot as one, without a server and without reference values: what is said is proven by the
 * quote, but whether it is what this device should boot is not known here. Never throws for what the files hold.
 */
export function inspectBoot(files: BootFiles, primitives: BootPrimitives): BootReport {
  const parsed = outcomeOf(() => parseQuoteAttest(files.attest))
  const signature = outcomeOf(() => parseSignature(files.signature))
  if (parsed instanceof OutcomeError || signature instanceof OutcomeError) {
    const failures = [parsed, signature].flatMap((each) => (each instanceof OutcomeError ? [failureOf(each)] : []))
    const parts = [failed('quote', failures), ...unproven(files)]
    return reportOf(parts, parsed instanceof OutcomeError ? null : factsOf(parsed))
  }
  const key = appraiseKey(files.key, { ...parsed, signature }, files.endorsementKeys, primitives)
  const log = files.eventLog === null ? null : outcomeOf(() => parseEventLog(files.eventLog ?? new Uint8Array(0)))
  const list = files.ima === null ? null : outcomeOf(() => parseImaList(files.ima ?? new Uint8Array(0)))
  const read = valuesOf(files.pcrs, parsed, signature, log, list, primitives)
  const { quote, failures } = appraise(files, key, read, primitives)
  const keyParts = [key.part, ...endorsementParts(files, key)]
  if (quote === null) {
    const parts = [failed('quote', failures), ...keyParts]
    return reportOf([...parts, ...unproven(files)], factsOf(parsed))
  }
  const logged = appraiseLog(log, quote.pcrs, primitives.hash)
  const kernel = appraiseKernelList(list, quote.pcrs, logged.replayed, primitives.hash)
  const parts = [
    good('quote', `verified: ${schemeText(files.key, signature)} over PCRs ${selectionText(parsed.selection)}`),
    ...keyParts,
    ...logged.parts,
    coveragePart(quote.pcrs),
    ...kernel.parts,
  ]
  return {
    ...reportOf(parts, factsOf(parsed)),
    pcrs: hexValues(quote.pcrs),
    pcrsFrom: read.from,
    eventLog: logged.facts,
    secureBoot: logged.secureBoot,
    kernelList: kernel.facts,
    bootAggregate: kernel.bootAggregate,
  }
}

function parseImaList(bytes: Uint8Array): UnverifiedImaList {
  const format = detectImaFormat(bytes)
  return format.format === 'ascii' ? parseAsciiImaList(bytes) : parseBinaryImaList(bytes, format)
}

interface ReadValues {
  readonly values: PcrValues
  readonly from: BootReport['pcrsFrom']
  readonly failures: readonly PartFailure[]
}

const NO_VALUES: PcrValues = new Map()

/** The values under the quote: given, or those that the logs lead to. */
function valuesOf(
  given: Uint8Array | PcrValues | null,
  { selection, pcrDigest }: QuoteAttest,
  signature: TpmSignature,
  log: ReturnType<typeof parseEventLog> | OutcomeError | null,
  list: UnverifiedImaList | OutcomeError | null,
  { hash }: BootPrimitives,
): ReadValues {
  if (given !== null) {
    const values = given instanceof Uint8Array ? outcomeOf(() => parsePcrFile(given, selection)) : given
    if (!(values instanceof OutcomeError)) return { values, from: 'file', failures: [] }
    return { values: NO_VALUES, from: null, failures: [failureOf(values, PCRS_REMEDY)] }
  }
  const readable = <T>(parsed: T | OutcomeError | null): T | null => (parsed instanceof OutcomeError ? null : parsed)
  const quoted = { selection, pcrDigest, signatureHash: signature.hash }
  const values = valuesFromLogs(quoted, readable(log), readable(list), hash)
  if (values !== undefined) return { values, from: 'replay', failures: [] }
  const reason = 'no --pcrs, and the logs do not lead to the digest in the quote'
  return {
    values: NO_VALUES,
    from: null,
    failures: [failureOf(new OutcomeError('quote.pcrs-missing', reason), PCRS_REMEDY)],
  }
}

/** Every failure of the quote. Where its values are unknown, what follows from that is not told again. */
function appraise(
  files: BootFiles,
  { signer }: AppraisedKey,
  read: ReadValues,
  { hash }: BootPrimitives,
): { quote: VerifiedQuote | null; failures: readonly PartFailure[] } {
  const { attest, signature, nonce: expectedExtraData } = files
  const input = { attest, signature, signer, expectedExtraData, policy: { banks: BANKS, required: [] }, hash }
  const { quote, failures } = appraiseQuote({ ...input, pcrs: read.values })
  const told = read.failures.length === 0 ? failures : failures.filter(({ code }) => !FOLLOWS.includes(code))
  return { quote, failures: [...told.map((failure) => failureOf(failure, REMEDIES[failure.code])), ...read.failures] }
}

const FOLLOWS: readonly OutcomeError['code'][] = ['quote.pcrs-missing', 'quote.selection-mismatch']

/** What to do next where a person has the files in hand, and no collector asks for anything. */
const REMEDIES: Readonly<Partial<Record<OutcomeError['code'], string>>> = {
  'quote.signature-invalid': 'Check that --key is the key of this device; if it is, the quote was forged or damaged.',
  'quote.nonce-mismatch': 'Check --nonce: it is what was given to tpm2_quote as -q; otherwise the quote is an old one.',
  'quote.pcr-digest-mismatch': PCRS_REMEDY,
  'quote.selection-mismatch': PCRS_REMEDY,
}

function schemeText(key: BootKey, { scheme, hash }: TpmSignature): string {
  const name = { ecdsa: 'ECDSA', rsassa: 'RSASSA', rsapss: 'RSAPSS' }[scheme]
  const area = key.kind === 'public-area' ? key.area : undefined
  const curve = key.kind === 'ec' ? key.curve : area?.type === 'ecc' ? area.curve : undefined
  const bits = key.kind === 'rsa' ? key.modulus.length * 8 : area?.type === 'rsa' ? area.keyBits : undefined
  const kind = curve === undefined ? ` ${bits} bits` : ` ${curve.replace('p', 'P-')}`
  return `${name}${kind}${hash === 'sha256' ? '' : ` with ${hash}`}`
}

function endorsementParts({ endorsement }: BootFiles, { underEndorsementKey }: AppraisedKey): BootPart[] {
  if (endorsement === null) return []
  if (endorsement.status !== 'good') return [endorsement]
  if (underEndorsementKey) {
    return [{ ...endorsement, summary: `${endorsement.summary}; the quote names the key as its child` }]
  }
  // A certificate of any TPM would do: it says nothing about this boot.
  const untied = 'nothing here ties the attestation key to it, enrolment does'
  return [notAppraised('endorsement', false, `${endorsement.summary}; ${untied}`)]
}

/** Parts about which an unverified quote proves nothing. */
function unproven({ ima }: BootFiles): BootPart[] {
  const rest: readonly PartName[] = ['event log', 'firmware PCRs', 'secure boot', 'boot coverage']
  const kernel: readonly PartName[] = ima === null ? [] : ['kernel list', 'boot aggregate']
  return [...rest, ...kernel].map((part) => notAppraised(part, true, 'needs a verified quote'))
}

function reportOf(parts: readonly BootPart[], quote: QuoteFacts | null): BootReport {
  return {
    verdict: verdictOf(parts),
    parts,
    quote,
    pcrs: null,
    pcrsFrom: null,
    eventLog: [],
    secureBoot: null,
    kernelList: [],
    bootAggregate: null,
  }
}

function factsOf({
  qualifiedSigner,
  extraData,
  clockInfo,
  firmwareVersion,
  selection,
  pcrDigest,
}: QuoteAttest): QuoteFacts {
  return {
    qualifiedSigner: toHex(qualifiedSigner),
    extraData: toHex(extraData),
    clockMs: Number(clockInfo.clock),
    resetCount: clockInfo.resetCount,
    restartCount: clockInfo.restartCount,
    safe: clockInfo.safe,
    firmwareVersion: firmwareVersion.toString(16).padStart(16, '0'),
    selection: selectionText(selection),
    pcrDigest: toHex(pcrDigest),
  }
}

const hexValues = (values: PcrValues): Record<string, Record<string, string>> =>
  Object.fromEntries(
    [...values].map(([bank, pcrs]) => [
      bank,
      Object.fromEntries([...pcrs].map(([pcr, value]) => [String(pcr), toHex(value)])),
    ]),
  )
