import { concat, equal, utf8 } from '../../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../../crypto/crypto.ts'
import { lateMeasurementsOf } from '../../eventlog/quirks.ts'
import { claimedStartupLocality, initialPcr, PcrRegister, replayBank } from '../../eventlog/replay.ts'
import type { UnverifiedEventLog } from '../../eventlog/types.ts'
import { IMA_PCR } from '../../ima/constants.ts'
import { extendedDigest } from '../../ima/digests.ts'
import type { PaddingMode, UnverifiedImaList } from '../../ima/types.ts'
import type { PcrBank } from '../../tpm/constants.ts'
import type { PcrSelection, PcrValues } from '../../tpm/pcr-selection.ts'

/** How many combinations are tried before it is said that the logs do not lead to the quote: about a second. */
const MAX_TRIES = 250_000

const PHASES_PCR = 11
const OS_SEPARATOR = 'os-separator'

export interface QuotedDigest {
  readonly selection: PcrSelection
  readonly pcrDigest: Uint8Array
  readonly signatureHash: HashAlgorithm
}

/**
 * The PCR values that the logs lead to, if some prefix of the kernel's list and some usual late measurements reproduce
 * the digest in the quote. Undefined if none does: that says nothing about the boot but that the values have to be
 * given. Which values these are is proven by the digest alone, as those of a file are.
 */
export function valuesFromLogs(
  quoted: QuotedDigest,
  log: UnverifiedEventLog | null,
  list: UnverifiedImaList | null,
  hash: HashFunction,
): PcrValues | undefined {
  const banks = quoted.selection.filter(({ pcrs }) => pcrs.length > 0)
  if (banks.length === 0 || !banks.every(({ bank }) => isComputable(bank))) return undefined
  const slots = banks.flatMap(({ bank, pcrs }) => pcrs.map((pcr) => ({ bank: bank as HashAlgorithm, pcr })))
  const bankNames = [...new Set(slots.map(({ bank }) => bank))]
  const scenarios = osSeparatorScenarios(slots, log, hash)
  const phases = phaseSubsets()
  let tries = 0
  for (const kernel of kernelValues(bankNames, slots.some(({ pcr }) => pcr === IMA_PCR) ? list : null, hash)) {
    for (const values of scenarios) {
      for (const words of slots.some(({ pcr }) => pcr === PHASES_PCR) ? phases : [[]]) {
        if (++tries > MAX_TRIES) return undefined
        const parts = slots.map(({ bank, pcr }, index) => {
          const value = values[index] ?? new Uint8Array(0)
          if (pcr === IMA_PCR) return kernel.get(bank) ?? value
          return pcr === PHASES_PCR ? extended(value, words, bank, hash) : value
        })
        if (equal(hash(quoted.signatureHash, concat(...parts)), quoted.pcrDigest)) return named(slots, parts)
      }
    }
  }
  return undefined
}

const isComputable = (bank: PcrBank): bank is HashAlgorithm => Object.hasOwn(HASH_SIZE, bank)

interface Slot {
  readonly bank: HashAlgorithm
  readonly pcr: number
}

/** What the log leads to, without and with the separator that systemd measures at the end of a boot. */
function osSeparatorScenarios(
  slots: readonly Slot[],
  log: UnverifiedEventLog | null,
  hash: HashFunction,
): readonly (readonly Uint8Array[])[] {
  const replays = new Map<HashAlgorithm, ReadonlyMap<number, Uint8Array>>()
  if (log !== null) for (const { bank } of slots) if (!replays.has(bank)) replays.set(bank, replayBank(log, bank, hash))
  const locality = log === null ? 0 : claimedStartupLocality(log)
  const plain = slots.map(({ bank, pcr }) => replays.get(bank)?.get(pcr) ?? initialPcr(bank, pcr, locality))
  const separated = (before: readonly string[]) =>
    slots.map(({ bank, pcr }, index) => {
      const value = plain[index] ?? new Uint8Array(0)
      const known = lateMeasurementsOf(pcr).some(({ steps }) => steps.some((words) => words.includes(OS_SEPARATOR)))
      const words = pcr === 9 ? [...before, OS_SEPARATOR] : [OS_SEPARATOR]
      return known ? extended(value, words, bank, hash) : value
    })
  return [plain, separated([]), separated(['nvpcr-separator'])]
}

/** Every choice among the phases of a boot in their order. */
function phaseSubsets(): readonly (readonly string[])[] {
  const steps = lateMeasurementsOf(PHASES_PCR)[0]?.steps ?? []
  return steps.reduce<readonly (readonly string[])[]>(
    (subsets, words) => [...subsets, ...subsets.map((subset) => [...subset, ...words])],
    [[]],
  )
}

function extended(value: Uint8Array, words: readonly string[], bank: HashAlgorithm, hash: HashFunction): Uint8Array {
  if (words.length === 0) return value
  const register = new PcrRegister(bank, value, hash)
  for (const word of words) register.extend(hash(bank, utf8(word)))
  return register.value()
}

/** PCR 10 by bank after each prefix of the list, the longest first: a quote is mostly taken just before the reading. */
function kernelValues(
  banks: readonly HashAlgorithm[],
  list: UnverifiedImaList | null,
  hash: HashFunction,
): readonly ReadonlyMap<HashAlgorithm, Uint8Array>[] {
  const none = new Map(banks.map((bank) => [bank, new Uint8Array(HASH_SIZE[bank])]))
  if (list === null) return [none]
  return (['per-bank', 'sha1-padded'] as const).flatMap((mode) => prefixes(banks, list, mode, hash)).concat([none])
}

function prefixes(
  banks: readonly HashAlgorithm[],
  list: UnverifiedImaList,
  mode: PaddingMode,
  hash: HashFunction,
): ReadonlyMap<HashAlgorithm, Uint8Array>[] {
  const registers = banks.map((bank) => ({ bank, register: new PcrRegister(bank, initialPcr(bank, IMA_PCR, 0), hash) }))
  const values = list.entries.map((entry) => {
    for (const { bank, register } of registers) {
      if (entry.pcr === IMA_PCR) register.extend(extendedDigest(entry, bank, mode, hash))
    }
    return new Map(registers.map(({ bank, register }) => [bank, register.value()]))
  })
  return values.reverse()
}

function named(slots: readonly Slot[], parts: readonly Uint8Array[]): PcrValues {
  const values = new Map<PcrBank, Map<number, Uint8Array>>()
  for (const [index, { bank, pcr }] of slots.entries()) {
    const ofBank = values.get(bank) ?? new Map<number, Uint8Array>()
    ofBank.set(pcr, parts[index] ?? new Uint8Array(0))
    values.set(bank, ofBank)
  }
  return values
}
