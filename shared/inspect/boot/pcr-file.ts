import { fromHex, fromUtf8 } from '../../bytes/bytes.ts'
import { ByteRangeError, ByteReader } from '../../bytes/reader.ts'
import { BANK_SIZE, bankOf, type PcrBank } from '../../tpm/constants.ts'
import type { PcrBankSelection, PcrSelection, PcrValues } from '../../tpm/pcr-selection.ts'
import { malformed } from '../../tpm/structure.ts'

/**
 * PCR values as tpm2-tools write them. The file is only somebody's word: the digest in the quote tells whether they
 * are the quoted ones.
 */

/** A TPML_PCR_SELECTION as a C struct has room for sixteen banks with bitmaps of four bytes, padded to eight. */
const MAX_BANKS = 16
const BITMAP_SIZE = 4
/** A TPML_DIGEST as a C struct has room for eight digests, each a size and the largest digest. */
const DIGESTS_IN_LIST = 8
const MAX_DIGEST = 64
const MAX_LISTS = 64
const SELECTION_STRUCT = 4 + MAX_BANKS * (2 + 1 + BITMAP_SIZE + 1)
const LIST_STRUCT = 4 + DIGESTS_IN_LIST * (2 + MAX_DIGEST)

/**
 * Reads the file of `tpm2_quote --pcr` in either of its formats, the text of `tpm2_pcrread`, or what
 * `tpm2_pcrread -o` writes, and answers the values of the PCRs in `quoted` that are in it. Bare values name neither
 * bank nor PCR: they are taken for exactly the quoted ones, or for all 24 of each bank of the common sets.
 * Throws `tpm.malformed`.
 */
export function parsePcrFile(file: Uint8Array, quoted: PcrSelection): PcrValues {
  // A plain view: the parts of a Buffer would be Buffers, whose slice() shares memory where Uint8Array's copies.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
  const values = textValues(bytes) ?? structValues(bytes) ?? bareValues(bytes, quoted)
  if (values === undefined) throw malformed(`${bytes.length} bytes that are no PCR values of tpm2-tools`)
  const selected = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>()
  for (const { bank, pcrs } of quoted) {
    const known = values.get(bank)
    const found = pcrs.flatMap((pcr) => {
      const value = known?.get(pcr)
      return value === undefined ? [] : [[pcr, value] as const]
    })
    if (found.length > 0) selected.set(bank, new Map(found))
  }
  return selected
}

const BANK_LINE = /^\s*(?<bank>sha1|sha256|sha384|sha512|sm3_256|sha3_256|sha3_384|sha3_512)\s*:\s*$/
const PCR_LINE = /^\s*(?<pcr>[0-9]{1,2})\s*:\s*0x(?<value>[0-9A-Fa-f]+)\s*$/

/** Undefined where it is no such text at all; throws for a text that begins like one. */
function textValues(bytes: Uint8Array): PcrValues | undefined {
  let lines: string[]
  try {
    lines = fromUtf8(bytes).split('\n')
  } catch {
    return undefined
  }
  if (!lines.some((line) => BANK_LINE.test(line))) return undefined
  const values = new Map<PcrBank, Map<number, Uint8Array>>()
  let current: { readonly bank: PcrBank; readonly values: Map<number, Uint8Array> } | undefined
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const name = BANK_LINE.exec(line)?.groups?.['bank']
    if (name !== undefined) {
      const bank = name.replace('_', '-') as PcrBank
      if (values.has(bank)) throw malformed(`line ${index + 1}: the bank ${bank} twice`)
      current = { bank, values: new Map() }
      values.set(bank, current.values)
      continue
    }
    const { pcr = '', value = '' } = PCR_LINE.exec(line)?.groups ?? {}
    if (current === undefined || value.length !== BANK_SIZE[current.bank] * 2 || current.values.has(Number(pcr))) {
      throw malformed(`line ${index + 1} of the PCR values is not as tpm2_pcrread prints it`)
    }
    current.values.set(Number(pcr), fromHex(value))
  }
  return values
}

/** The serialized format: a little-endian dump of C structs, the selection, a count of lists, and the lists. */
function structValues(bytes: Uint8Array): PcrValues | undefined {
  const rest = bytes.length - SELECTION_STRUCT - 4
  if (rest < 0 || rest % LIST_STRUCT !== 0 || rest / LIST_STRUCT > MAX_LISTS) return undefined
  try {
    const reader = new ByteReader(bytes, 'little-endian')
    const selection = readSelection(reader)
    if (selection === undefined || reader.u32() !== rest / LIST_STRUCT) return undefined
    const digests: Uint8Array[] = []
    while (reader.remaining > 0) {
      const count = reader.u32()
      if (count > DIGESTS_IN_LIST) throw malformed(`${count} digests in a list of PCR values`)
      for (let i = 0; i < DIGESTS_IN_LIST; i++) {
        const size = reader.u16()
        const digest = reader.bytes(MAX_DIGEST)
        if (i >= count) continue
        if (size > MAX_DIGEST) throw malformed(`a PCR value of ${size} bytes`)
        digests.push(digest.subarray(0, size))
      }
    }
    return inOrder(selection, digests)
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}

function readSelection(reader: ByteReader): PcrSelection | undefined {
  const count = reader.u32()
  if (count < 1 || count > MAX_BANKS) return undefined
  const selection: PcrBankSelection[] = []
  for (let i = 0; i < MAX_BANKS; i++) {
    const bank = bankOf(reader.u16())
    const size = reader.u8()
    const bitmap = reader.bytes(BITMAP_SIZE)
    reader.u8() // padding of the struct
    if (i >= count) continue
    if (bank === undefined || size > BITMAP_SIZE || selection.some((entry) => entry.bank === bank)) return undefined
    const pcrs = Array.from({ length: size * 8 }, (_, pcr) => pcr)
    selection.push({ bank, pcrs: pcrs.filter((pcr) => ((bitmap[pcr >> 3] ?? 0) & (1 << (pcr & 7))) !== 0) })
  }
  return selection
}

/** Values one after the other, in the order of the selection. */
function inOrder(selection: PcrSelection, digests: readonly Uint8Array[]): PcrValues {
  const left = [...digests]
  const values = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>()
  for (const { bank, pcrs } of selection) {
    const found = new Map<number, Uint8Array>()
    for (const pcr of pcrs) {
      const value = left.shift()
      if (value?.length !== BANK_SIZE[bank]) throw malformed(`no value of ${bank} for PCR ${pcr} in the file`)
      found.set(pcr, value)
    }
    values.set(bank, found)
  }
  if (left.length > 0) throw malformed(`${left.length} PCR values too many`)
  return values
}

const ALL_PCRS = Array.from({ length: 24 }, (_, pcr) => pcr)
const COMMON_BANKS: readonly (readonly PcrBank[])[] = [
  ['sha1'],
  ['sha256'],
  ['sha384'],
  ['sha512'],
  ['sha1', 'sha256'],
  ['sha256', 'sha384'],
  ['sha1', 'sha256', 'sha384'],
  ['sha256', 'sha384', 'sha512'],
  ['sha1', 'sha256', 'sha384', 'sha512'],
]

function bareValues(bytes: Uint8Array, quoted: PcrSelection): PcrValues | undefined {
  const candidates = [quoted, ...COMMON_BANKS.map((banks) => banks.map((bank) => ({ bank, pcrs: ALL_PCRS })))]
  const selection = candidates.find((candidate) => sizeOf(candidate) === bytes.length)
  if (selection === undefined || bytes.length === 0) return undefined
  const reader = new ByteReader(bytes)
  return inOrder(
    selection,
    selection.flatMap(({ bank, pcrs }) => pcrs.map(() => reader.bytes(BANK_SIZE[bank]))),
  )
}

const sizeOf = (selection: PcrSelection): number =>
  selection.reduce((sum, { bank, pcrs }) => sum + pcrs.length * BANK_SIZE[bank], 0)
