import { ByteWriter } from '../../../shared/bytes/writer.ts'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { hashId, type PcrBank } from '../../../shared/tpm/constants.ts'
import {
  encodePcrSelection,
  parsePcrSelection,
  type PcrBankSelection,
  type PcrSelection,
  type PcrValues,
} from '../../../shared/tpm/pcr-selection.ts'
import { readWhole } from '../../../shared/tpm/structure.ts'
import { BY_PASSWORD, ESAPI, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/**
 * TPM2_PCR_Read (Part 3, 22.4), repeated: one command gives eight values at most. The values are of no single
 * moment; a quote's pcrDigest tells whether they belong together.
 * Throws KeepsealError `tpm.command-failed` for a bank or PCR that this TPM does not have.
 */
export async function readPcrs(tpm: Tpm, selection: PcrSelection): Promise<PcrValues> {
  const values = new Map<PcrBank, Map<number, Uint8Array>>()
  for (const { bank, pcrs, ...layout } of selection) {
    const found = values.get(bank) ?? new Map<number, Uint8Array>()
    values.set(bank, found)
    let missing = pcrs
    while (missing.length > 0) {
      for (const [pcr, value] of await readSome(tpm, { bank, pcrs: missing, ...layout })) found.set(pcr, value)
      const left = missing.filter((pcr) => !found.has(pcr))
      if (left.length === missing.length) {
        throw new KeepsealError('tpm.command-failed', `the TPM has no PCR ${left.join(', ')} in the bank ${bank}`)
      }
      missing = left
    }
  }
  return values
}

async function readSome(tpm: Tpm, wanted: PcrBankSelection): Promise<[number, Uint8Array][]> {
  const [, selected, digests] = await tpm.execute(ESAPI.pcrRead, [...UNAUTHORIZED, encodePcrSelection([wanted])])
  const values = readWhole(digests, (reader) => Array.from({ length: reader.u32() }, () => reader.sized16()))
  const indices = parsePcrSelection(selected).flatMap((entry) => (entry.bank === wanted.bank ? entry.pcrs : []))
  if (indices.length !== values.length) {
    throw new KeepsealError('tpm.command-failed', `PCR_Read: ${values.length} values for ${indices.length} PCRs`)
  }
  return indices.map((pcr, i) => [pcr, values[i] as Uint8Array])
}

/** TPM2_PCR_Extend (Part 3, 22.2) in several banks at once. A bank that is not named is not extended. */
export async function extendPcr(tpm: Tpm, pcr: number, digests: ReadonlyMap<HashAlgorithm, Uint8Array>): Promise<void> {
  // TPML_DIGEST_VALUES, Part 2 section 10.9.6: TPMT_HA has no size, the algorithm implies it.
  const list = new ByteWriter().u32(digests.size)
  for (const [hash, digest] of digests) list.u16(hashId(hash)).bytes(digest)
  await tpm.execute(ESAPI.pcrExtend, [pcr, ...BY_PASSWORD, list.finish()])
}
