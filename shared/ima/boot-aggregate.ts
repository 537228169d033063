import { concat, equal } from '../bytes/bytes.ts'
import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import type { PcrValues } from '../tpm/pcr-selection.ts'
import { BOOT_AGGREGATE } from './constants.ts'
import { digestText } from './digests.ts'
import type { ImaProblem, ReplayedImaEntry } from './types.ts'

export type BootAggregateCheck =
  /** The list belongs to the boot whose PCRs were given. `pcrs`: which of them it was found to cover. */
  | { readonly status: 'matches'; readonly bank: HashAlgorithm; readonly pcrs: '0-9' | '0-7' }
  /** Never to be read as good. */
  | { readonly status: 'failed'; readonly problem: ImaProblem }

/**
 * Linux 5.8 and later cover PCRs 0 to 9 in every bank but SHA-1, others 0 to 7; some 5.4 and 5.7 kernels cover 0 to 7
 * of the larger banks too. (ima_calc_boot_aggregate_tfm of security/integrity/ima/ima_crypto.c.)
 */
const COVERED = {
  sha1: ['0-7'],
  sha256: ['0-9', '0-7'],
  sha384: ['0-9', '0-7'],
  sha512: ['0-9', '0-7'],
} as const
const LAST_PCR = { '0-9': 9, '0-7': 7 } as const

/**
 * Binds a measurement list to the measured boot before it: its first entry is a digest over the firmware's PCRs, in
 * the bank of the digest's algorithm, as they were when the kernel started.
 *
 * `first`: the first of a suffix that was verified from the start of the boot session. `pcrs`: proven values, at the
 * moment of the kernel's start: what the event log replays to before measurements that came later, such as
 * os-separator of systemd; the quoted values where there were none.
 *
 * Fails with `ima.boot-aggregate-missing` if the list begins with something else, `ima.boot-aggregate-unchecked` if
 * the values of its bank are not known, and `ima.boot-aggregate-mismatch` if they give another digest, or if the
 * kernel found no TPM (a digest of zeros).
 */
export function checkBootAggregate(
  first: ReplayedImaEntry | undefined,
  pcrs: PcrValues,
  hash: HashFunction,
): BootAggregateCheck {
  if (first === undefined) return failed('ima.boot-aggregate-missing', undefined, 'the list is empty')
  if (first.sequence !== 0) return failed('ima.boot-aggregate-missing', first, 'the start of the list is not here')
  if (first.kind !== 'measurement' || first.path !== BOOT_AGGREGATE || first.digest.kind !== 'content') {
    return failed('ima.boot-aggregate-missing', first, 'the first entry is another one')
  }
  const { algorithm, value } = first.digest
  if (!isHashAlgorithm(algorithm)) return failed('ima.boot-aggregate-unchecked', first, `the algorithm ${algorithm}`)
  if (value.every((byte) => byte === 0)) return failed('ima.boot-aggregate-mismatch', first, 'the kernel found no TPM')
  const bank = pcrs.get(algorithm)
  let known = false
  for (const range of COVERED[algorithm]) {
    const values = bank === undefined ? undefined : valuesUpTo(bank, LAST_PCR[range])
    if (values === undefined) continue
    known = true
    if (equal(hash(algorithm, concat(...values)), value)) return { status: 'matches', bank: algorithm, pcrs: range }
  }
  return known
    ? failed('ima.boot-aggregate-mismatch', first, `PCRs 0 to 9 of the bank ${algorithm} give another digest`)
    : failed('ima.boot-aggregate-unchecked', first, `PCRs 0 to 9 of the bank ${algorithm} are not known`)
}

/** Digests, as `digestText` writes them, of the boot aggregates that a kernel makes which starts on these values. */
export function bootAggregatesOver(pcrs: PcrValues, hash: HashFunction): readonly string[] {
  return (Object.keys(COVERED) as HashAlgorithm[]).flatMap((algorithm) => {
    const bank = pcrs.get(algorithm)
    return COVERED[algorithm].flatMap((range) => {
      const values = bank === undefined ? undefined : valuesUpTo(bank, LAST_PCR[range])
      if (values === undefined) return []
      return [digestText({ kind: 'content', algorithm, value: hash(algorithm, concat(...values)) })]
    })
  })
}

function valuesUpTo(bank: ReadonlyMap<number, Uint8Array>, last: number): readonly Uint8Array[] | undefined {
  const values: Uint8Array[] = []
  for (let pcr = 0; pcr <= last; pcr++) {
    const value = bank.get(pcr)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

const isHashAlgorithm = (name: string): name is HashAlgorithm => Object.hasOwn(HASH_SIZE, name)

function failed(code: ImaProblem['code'], entry: ReplayedImaEntry | undefined, detail: string): BootAggregateCheck {
  return { status: 'failed', problem: { code, ...(entry === undefined ? {} : { sequence: entry.sequence }), detail } }
}
