import { concat } from '../bytes/bytes.ts'
import type { ByteReader } from '../bytes/reader.ts'
import { ByteWriter } from '../bytes/writer.ts'
import type { HashAlgorithm, HashFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { BANK_SIZE, bankId, bankOf, type PcrBank } from './constants.ts'
import { malformed, readWhole, refused } from './structure.ts'

/** The PCRs of one bank: ascending, without repetition. */
export interface PcrBankSelection {
  readonly bank: PcrBank
  readonly pcrs: readonly number[]
  /** Bytes of the bitmap on the wire, 1 to 4; 3 (24 PCRs) where absent. Says nothing about which PCRs are meant. */
  readonly bitmapSize?: number
}

/** No bank occurs twice. The order counts: it is the order of concatenation under a quote's pcrDigest. */
export type PcrSelection = readonly PcrBankSelection[]

/** PCR values by bank and index. */
export type PcrValues = ReadonlyMap<PcrBank, ReadonlyMap<number, Uint8Array>>

const MAX_SELECTIONS = 16
const DEFAULT_BITMAP_SIZE = 3
/** 32 PCRs. The PC Client platform has 24, and no TPM stack carries more than this. */
const MAX_BITMAP_SIZE = 4

function readBankSelection(reader: ByteReader): PcrBankSelection {
  const id = reader.u16()
  const bank = bankOf(id)
  if (bank === undefined) throw refused('PCR bank', id)
  const bitmapSize = reader.u8()
  if (bitmapSize < 1 || bitmapSize > MAX_BITMAP_SIZE) throw malformed(`PCR bitmap of ${bitmapSize} bytes`)
  const pcrs: number[] = []
  reader.bytes(bitmapSize).forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) pcrs.push(index * 8 + bit)
  })
  return { bank, pcrs, bitmapSize }
}

/**
 * TPML_PCR_SELECTION, Part 2 section 10.9.7. A list that names a bank twice is refused although a TPM would take it:
 * a selection must have one reading.
 */
export function readPcrSelection(reader: ByteReader): PcrSelection {
  const count = reader.u32()
  if (count > MAX_SELECTIONS) throw malformed(`${count} PCR selections`)
  const selection: PcrBankSelection[] = []
  const seen = new Set<PcrBank>()
  for (let i = 0; i < count; i++) {
    const entry = readBankSelection(reader)
    if (seen.has(entry.bank)) throw malformed(`bank ${entry.bank} twice in a PCR selection`)
    seen.add(entry.bank)
    selection.push(entry)
  }
  return selection
}

/** Parses a whole TPML_PCR_SELECTION. Throws `tpm.malformed`, or `tpm.algorithm-refused` for an unknown bank. */
export function parsePcrSelection(bytes: Uint8Array): PcrSelection {
  return readWhole(bytes, readPcrSelection)
}

/** Throws RangeError for a PCR that does not fit into the bitmap. */
export function encodePcrSelection(selection: PcrSelection): Uint8Array {
  const writer = new ByteWriter().u32(selection.length)
  for (const { bank, pcrs, bitmapSize = DEFAULT_BITMAP_SIZE } of selection) {
    const bitmap = new Uint8Array(bitmapSize)
    for (const pcr of pcrs) {
      const index = pcr >> 3
      const byte = bitmap[index]
      if (!Number.isInteger(pcr) || byte === undefined) throw new RangeError(`PCR ${pcr} in ${bitmapSize} bytes`)
      bitmap[index] = byte | (1 << (pcr & 7))
    }
    writer.u16(bankId(bank)).u8(bitmapSize).bytes(bitmap)
  }
  return writer.finish()
}

/** One spelling for each set of PCRs: banks by their TPM number, those without a PCR left out, default bitmap size. */
export function canonicalSelection(selection: PcrSelection): PcrSelection {
  return selection
    .filter(({ pcrs }) => pcrs.length > 0)
    .map(({ bank, pcrs }) => ({ bank, pcrs: [...pcrs].sort((a, b) => a - b) }))
    .sort((a, b) => bankId(a.bank) - bankId(b.bank))
}

/** Whether both mean the same PCRs, whatever the order of banks and the padding of their bitmaps. */
export function selectionEquals(a: PcrSelection, b: PcrSelection): boolean {
  return selectionIncludes(a, b) && selectionIncludes(b, a)
}

/** Whether `selection` has every PCR of `required`. */
export function selectionIncludes(selection: PcrSelection, required: PcrSelection): boolean {
  return required.every(({ bank, pcrs }) => {
    const entry = selection.find((candidate) => candidate.bank === bank)
    return pcrs.every((pcr) => entry?.pcrs.includes(pcr) === true)
  })
}

/** The selection that a set of values covers, in canonical order. */
export function selectionOf(values: PcrValues): PcrSelection {
  return canonicalSelection([...values].map(([bank, pcrs]) => ({ bank, pcrs: [...pcrs.keys()] })))
}

/**
 * The digest that a quote over `selection` carries when the PCRs hold `values` (Part 1, "Selecting Multiple PCR"):
 * the hash of the *signature*, over the values in the order of the selection, ascending within a bank. The order and
 * the hash come from what was signed, never from what was reported beside it.
 * Throws `quote.selection-mismatch` where a selected value is not among `values`, and `quote.pcr-digest-mismatch`
 * where one does not have its bank's length: bytes moved from one PCR to its neighbour would leave the digest as it is.
 */
export function pcrDigest(
  hash: HashFunction,
  signatureHash: HashAlgorithm,
  values: PcrValues,
  selection: PcrSelection,
): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { bank, pcrs } of selection) {
    const bankValues = values.get(bank)
    for (const pcr of pcrs) {
      const value = bankValues?.get(pcr)
      if (value === undefined) throw new OutcomeError('quote.selection-mismatch', `no value for PCR ${pcr} of ${bank}`)
      if (value.length !== BANK_SIZE[bank]) {
        throw new OutcomeError('quote.pcr-digest-mismatch', `PCR ${pcr} of ${bank} has ${value.length} bytes`)
      }
      parts.push(value)
    }
  }
  return hash(signatureHash, concat(...parts))
}

/**
 * Names the values under a quote by what the quote itself says: which PCRs, and the digest over them. The pcrDigest
 * alone would not do: eight PCRs at zero have one digest, whichever eight they are.
 */
export function quotedStateDigest(
  quote: { readonly selection: PcrSelection; readonly pcrDigest: Uint8Array },
  hash: HashFunction,
): Uint8Array {
  return hash('sha256', concat(encodePcrSelection(canonicalSelection(quote.selection)), quote.pcrDigest))
}
