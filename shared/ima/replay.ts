import { equal } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { PcrRegister } from '../eventlog/replay.ts'
import { IMA_PCR } from './constants.ts'
import { extendedDigest } from './digests.ts'
import type {
  ImaBase,
  PaddingMode,
  ReplayedImaEntry,
  UnverifiedImaEntry,
  UnverifiedImaList,
  VerifiedImaSuffix,
} from './types.ts'

export interface ImaSuffixInput {
  /** What was verified in this boot session, as an earlier call returned it in `next`; null: nothing. */
  readonly base: ImaBase | null
  readonly suffix: UnverifiedImaList
  /** PCR 10 of a quote that was verified before. */
  readonly quotedPcr10: Uint8Array
  readonly bank: HashAlgorithm
}

/** PCR 10 before the first entry of a boot session. */
const startOf = (bank: HashAlgorithm): Uint8Array => new Uint8Array(HASH_SIZE[bank])

/**
 * Proves the entries that follow a verified base by a quoted PCR 10. The list is read after the quote, so it may hold
 * more than was quoted: the one prefix that leads to the quoted value is proven, the rest is counted and left.
 *
 * Nothing resets the base. Throws `ima.wrong-start` if the suffix does not begin where the base ends (a list that was
 * trimmed, rotated or rewritten, or a suffix without a known base), `ima.foreign-pcr` if an entry is for another PCR,
 * which this quote value cannot prove, `ima.not-measured` if PCR 10 was never extended, and `ima.replay-mismatch` if
 * no prefix leads to the quoted value in one padding mode.
 */
export function verifyImaSuffix(input: ImaSuffixInput, hash: HashFunction): VerifiedImaSuffix {
  const { base, suffix, quotedPcr10, bank } = input
  if (base !== null && (base.bank !== bank || base.pcr10.length !== HASH_SIZE[bank])) {
    throw new OutcomeError('ima.wrong-start', `the entries before it were verified in the bank ${base.bank}`)
  }
  const before = base?.entries ?? 0
  if (suffix.first !== before) {
    throw new OutcomeError('ima.wrong-start', `it begins at entry ${suffix.first}, ${before} were verified`)
  }
  const foreign = suffix.entries.find(({ pcr }) => pcr !== IMA_PCR)
  if (foreign !== undefined) {
    throw new OutcomeError('ima.foreign-pcr', `entry ${foreign.sequence} is for PCR ${foreign.pcr}`)
  }
  if (quotedPcr10.length !== HASH_SIZE[bank]) throw mismatch('the quoted value does not have the size of the bank')
  const start = base?.pcr10 ?? startOf(bank)
  // Zeros after verified entries are no kernel that never measured, but a PCR that was reset: those do not replay.
  if (before === 0 && equal(quotedPcr10, startOf(bank))) throw new OutcomeError('ima.not-measured')
  for (const mode of base === null ? modesOf(bank) : [base.paddingMode]) {
    const count = matchingPrefix(start, suffix.entries, bank, mode, quotedPcr10, hash)
    if (count === undefined) continue
    const next: ImaBase = { bank, entries: before + count, pcr10: Uint8Array.from(quotedPcr10), paddingMode: mode }
    return verified(next, suffix.entries, count)
  }
  throw mismatch(`none of ${suffix.entries.length} entries from number ${suffix.first} on leads to it`)
}

const modesOf = (bank: HashAlgorithm): readonly PaddingMode[] =>
  bank === 'sha1' ? ['per-bank'] : ['per-bank', 'sha1-padded']

/** How many of the entries lead to the value. A digest occurs once in a chain, so that there is one answer. */
function matchingPrefix(
  start: Uint8Array,
  entries: readonly UnverifiedImaEntry[],
  bank: HashAlgorithm,
  mode: PaddingMode,
  value: Uint8Array,
  hash: HashFunction,
): number | undefined {
  const register = new PcrRegister(bank, start, hash)
  if (register.holds(value)) return 0
  let count = 0
  for (const entry of entries) {
    register.extend(extendedDigest(entry, bank, mode, hash))
    count++
    if (register.holds(value)) return count
  }
  return undefined
}

function verified(next: ImaBase, entries: readonly UnverifiedImaEntry[], count: number): VerifiedImaSuffix {
  const suffix = {
    next,
    matchedEntries: count,
    entries: entries.slice(0, count).map(asReplayed),
    laterEntries: entries.length - count,
  }
  // The brand exists for the compiler alone. This is the one place that may put it on.
  return suffix as unknown as VerifiedImaSuffix
}

function asReplayed(entry: UnverifiedImaEntry): ReplayedImaEntry {
  const { sequence, template, digest, path, signature, buffer } = entry
  const replayed = entry.violation
    ? { kind: 'violation', sequence, template, claimedPath: path }
    : { kind: 'measurement', sequence, template, digest, path, signature, buffer }
  return replayed as unknown as ReplayedImaEntry
}

/**
 * Where all of the entries lead to in one padding mode, without any quote: what a list claims. Entries for other PCRs
 * are counted and not extended. `base`: null from the start of a boot session.
 */
export function extendFrom(
  base: ImaBase | null,
  entries: readonly UnverifiedImaEntry[],
  bank: HashAlgorithm,
  paddingMode: PaddingMode,
  hash: HashFunction,
): ImaBase {
  const register = new PcrRegister(bank, base?.pcr10 ?? startOf(bank), hash)
  for (const entry of entries) {
    if (entry.pcr === IMA_PCR) register.extend(extendedDigest(entry, bank, paddingMode, hash))
  }
  return { bank, entries: (base?.entries ?? 0) + entries.length, pcr10: register.value(), paddingMode }
}

function mismatch(detail: string): OutcomeError {
  return new OutcomeError('ima.replay-mismatch', detail)
}
