import { HASH_SIZE, type HashAlgorithm } from '../crypto/crypto.ts'
import type { PcrValues } from '../tpm/pcr-selection.ts'
import { IMA_PCR } from './constants.ts'

export interface QuotedPcr10 {
  readonly bank: HashAlgorithm
  readonly value: Uint8Array
  /** The kernel has measured something into it. */
  readonly extended: boolean
}

const isHashAlgorithm = (name: string): name is HashAlgorithm => Object.hasOwn(HASH_SIZE, name)

/** PCR 10 among quoted values, in `preferred` where that bank has it; undefined where no bank of ours has. */
export function quotedPcr10(pcrs: PcrValues, preferred?: HashAlgorithm): QuotedPcr10 | undefined {
  const banks = [...(preferred === undefined ? [] : [preferred]), ...pcrs.keys()].filter(isHashAlgorithm)
  for (const bank of banks) {
    const value = pcrs.get(bank)?.get(IMA_PCR)
    if (value !== undefined) return { bank, value, extended: value.some((byte) => byte !== 0) }
  }
  return undefined
}
