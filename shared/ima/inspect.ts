import { equal, toHex } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { BOOT_AGGREGATE, IMA_PCR } from './constants.ts'
import { detectImaFormat, type ImaFormat } from './detect.ts'
import { digestText } from './digests.ts'
import { parseAsciiImaList } from './parse-ascii.ts'
import { parseBinaryImaList } from './parse-binary.ts'
import { extendFrom } from './replay.ts'
import { parseImaSignature } from './signature.ts'
import type { PaddingMode, UnverifiedImaEntry } from './types.ts'

/** An entry as `keepseal inspect ima` shows it. */
export interface InspectedImaEntry {
  readonly sequence: number
  readonly pcr: number
  readonly template: string
  /** Lower-case hexadecimal, as listed. */
  readonly templateDigest: string
  /** Whether it is the digest of the fields; null for a violation, which has none. */
  readonly templateDigestFits: boolean | null
  readonly violation: boolean
  readonly digest: string
  readonly path: string
  /** Of the signature that the list carries, not verified; null without one or for one that cannot be read. */
  readonly signedBy: string | null
  /** Bytes of a measured buffer; null for a file. */
  readonly bufferSize: number | null
}

/** The value of PCR 10 that the list leads to if the kernel extended the bank in that way. */
export interface InspectedPcr {
  readonly bank: HashAlgorithm
  readonly paddingMode: PaddingMode
  readonly value: string
}

/** What a list claims, ready for JSON. Nothing in it is proven: there is no quote. */
export interface InspectedImaList {
  readonly format: ImaFormat
  readonly count: number
  readonly violations: number
  /** Number of entries by template. */
  readonly templates: Readonly<Record<string, number>>
  /** Entries for other PCRs than 10, which are not in `pcr10`. */
  readonly otherPcrs: number
  readonly pcr10: readonly InspectedPcr[]
  /** The digest of the first entry; null if that is not the boot aggregate. */
  readonly bootAggregate: string | null
  readonly entries: readonly InspectedImaEntry[]
}

const SHOWN: readonly (readonly [HashAlgorithm, PaddingMode])[] = [
  ['sha1', 'per-bank'],
  ['sha256', 'per-bank'],
  ['sha256', 'sha1-padded'],
  ['sha384', 'per-bank'],
  ['sha384', 'sha1-padded'],
  ['sha512', 'per-bank'],
  ['sha512', 'sha1-padded'],
]

/**
 * Reads, replays and explains a whole list of either format without a quote. Throws as the parsers do, with the
 * number of the entry at fault.
 */
export function inspectImaList(bytes: Uint8Array, hash: HashFunction): InspectedImaList {
  const format = detectImaFormat(bytes)
  const { entries } = format.format === 'ascii' ? parseAsciiImaList(bytes) : parseBinaryImaList(bytes, format)
  const [first] = entries
  const templates = new Map<string, number>()
  for (const { template } of entries) templates.set(template, (templates.get(template) ?? 0) + 1)
  return {
    format,
    count: entries.length,
    violations: entries.filter(({ violation }) => violation).length,
    templates: Object.fromEntries(templates),
    otherPcrs: entries.filter(({ pcr }) => pcr !== IMA_PCR).length,
    pcr10: SHOWN.map(([bank, paddingMode]) => ({
      bank,
      paddingMode,
      value: toHex(extendFrom(null, entries, bank, paddingMode, hash).pcr10),
    })),
    bootAggregate: first?.path === BOOT_AGGREGATE && !first.violation ? digestText(first.digest) : null,
    entries: entries.map((entry) => inspectEntry(entry, hash)),
  }
}

function inspectEntry(entry: UnverifiedImaEntry, hash: HashFunction): InspectedImaEntry {
  const { sequence, pcr, template, templateDigest, violation, digest, path, signature, buffer } = entry
  return {
    sequence,
    pcr,
    template,
    templateDigest: toHex(templateDigest),
    templateDigestFits: violation
      ? null
      : equal(hash(hashOfSize(templateDigest.length), entry.templateData), templateDigest),
    violation,
    digest: digestText(digest),
    path,
    signedBy: signature === null ? null : (parseImaSignature(signature)?.keyId ?? null),
    bufferSize: buffer === null ? null : buffer.length,
  }
}

const hashOfSize = (size: number): HashAlgorithm =>
  (Object.keys(HASH_SIZE) as HashAlgorithm[]).find((name) => HASH_SIZE[name] === size) ?? 'sha1'
