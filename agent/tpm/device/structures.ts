import type { ByteReader } from '../../../shared/bytes/reader.ts'
import { BANK_SIZE, bankOf, TPM_ALG } from '../../../shared/tpm/constants.ts'
import { malformed } from '../../../shared/tpm/structure.ts'
import type { WireType } from '../marshal.ts'

/** Moves a reader past one structure. Throws ByteRangeError or `tpm.malformed` where there is no such structure. */
type Skip = (reader: ByteReader) => void

/** Structures that commands and answers have, and ESAPI keeps to itself. */
type OtherStructure = 'UINT8' | 'UINT32' | 'TPMT_TK_CREATION' | 'TPMT_TK_AUTH'
export type Structure = WireType | OtherStructure

/** TPM2B of Part 2, section 10.4: a size, and as many bytes. */
const sized: Skip = (reader) => void reader.sized16()

const numbers =
  (bytes: number): Skip =>
  (reader) =>
    void reader.bytes(bytes)

/** TPML of Part 2, section 10.9. What comes first is counted against a limit: nothing is repeated on its word alone. */
const list =
  (limit: number, entry: Skip): Skip =>
  (reader) => {
    const count = reader.u32()
    if (count > limit) throw malformed(`a list of ${count} entries`)
    for (let i = 0; i < count; i++) entry(reader)
  }

/** TPMS_PCR_SELECTION, Part 2 section 10.6.2. */
const pcrSelection: Skip = (reader) => {
  reader.u16()
  reader.bytes(reader.u8())
}

/** TPMT_HA, Part 2 section 10.3.2: the algorithm implies the size. */
const hashValue: Skip = (reader) => {
  const id = reader.u16()
  const bank = bankOf(id)
  if (bank === undefined) throw malformed(`hash 0x${id.toString(16)}`)
  reader.bytes(BANK_SIZE[bank])
}

/** TPMT_TK_CREATION, TPMT_TK_AUTH and TPMT_TK_HASHCHECK, Part 2 sections 10.7.3, 10.7.5 and 10.7.6: tag, hierarchy, digest. */
const ticket: Skip = (reader) => {
  reader.u16()
  reader.u32()
  sized(reader)
}

/** TPMT_SIGNATURE, Part 2 section 11.3.4, of RSASSA, RSAPSS or ECDSA. */
const signature: Skip = (reader) => {
  const scheme = reader.u16()
  reader.u16()
  sized(reader)
  if (scheme === TPM_ALG.ecdsa) sized(reader)
  else if (scheme !== TPM_ALG.rsassa && scheme !== TPM_ALG.rsapss) throw malformed(`scheme 0x${scheme.toString(16)}`)
}

/** TPMT_SIG_SCHEME, Part 2 section 11.2.1.5: none, or one of these with its hash (TPMS_SCHEME_HASH). */
const signatureScheme: Skip = (reader) => {
  const id = reader.u16()
  if (id === TPM_ALG.null) return
  if (id !== TPM_ALG.rsassa && id !== TPM_ALG.ecdsa) throw malformed(`scheme 0x${id.toString(16)}`)
  reader.u16()
}

/** TPMT_SYM_DEF, Part 2 section 11.1.6: Keepseal asks for none of its own. */
const noAlgorithm: Skip = (reader) => {
  const id = reader.u16()
  if (id !== TPM_ALG.null) throw malformed(`algorithm 0x${id.toString(16)}`)
}

/** TPMS_CONTEXT, Part 2 section 14.5: sequence, savedHandle, hierarchy, contextBlob. */
const context: Skip = (reader) => {
  reader.u64()
  reader.u32()
  reader.u32()
  sized(reader)
}

/** TPM2B_NV_PUBLIC, Part 2 sections 13.5 and 13.6. */
const nvPublic: Skip = (reader) => {
  const end = reader.u16() + reader.offset
  reader.u32() // nvIndex
  reader.u16() // nameAlg
  reader.u32() // attributes
  sized(reader) // authPolicy
  reader.u16() // dataSize
  if (reader.offset !== end) throw malformed('TPM2B_NV_PUBLIC of another size than it says')
}

/** TPMU_CAPABILITIES, Part 2 section 10.10.1: the lists by TPM_CAP (section 6.12) that Keepseal asks for. */
const CAPABILITIES: ReadonlyMap<number, Skip> = new Map([
  [1, list(1024, numbers(4))], // TPM_CAP_HANDLES: TPML_HANDLE
  [5, list(64, pcrSelection)], // TPM_CAP_PCRS: TPML_PCR_SELECTION
  [6, list(1024, numbers(8))], // TPM_CAP_TPM_PROPERTIES: TPML_TAGGED_TPM_PROPERTY
  [8, list(1024, numbers(2))], // TPM_CAP_ECC_CURVES: TPML_ECC_CURVE
])

/** TPMS_CAPABILITY_DATA, Part 2 section 10.10.2. */
const capabilityData: Skip = (reader) => {
  const capability = reader.u32()
  const skip = CAPABILITIES.get(capability)
  if (skip === undefined) throw malformed(`capability ${capability}`)
  skip(reader)
}

const SKIPS: Readonly<Record<Structure, Skip>> = {
  UINT8: numbers(1),
  UINT32: numbers(4),
  TPM2B_DATA: sized,
  TPM2B_DIGEST: sized,
  TPM2B_NAME: sized,
  TPM2B_ATTEST: sized,
  TPM2B_PUBLIC: sized,
  TPM2B_SENSITIVE_CREATE: sized,
  TPM2B_CREATION_DATA: sized,
  TPM2B_ID_OBJECT: sized,
  TPM2B_ENCRYPTED_SECRET: sized,
  TPM2B_MAX_BUFFER: sized,
  TPM2B_MAX_NV_BUFFER: sized,
  TPM2B_NV_PUBLIC: nvPublic,
  TPML_PCR_SELECTION: list(16, pcrSelection),
  TPML_DIGEST: list(8, sized),
  TPML_DIGEST_VALUES: list(16, hashValue),
  TPMT_SIGNATURE: signature,
  TPMT_SIG_SCHEME: signatureScheme,
  TPMT_SYM_DEF: noAlgorithm,
  TPMT_TK_CREATION: ticket,
  TPMT_TK_AUTH: ticket,
  TPMT_TK_HASHCHECK: ticket,
  // Part 2 sections 10.10.6 and 10.11.1: time, clock, resetCount, restartCount, safe.
  TPMS_TIME_INFO: numbers(8 + 8 + 4 + 4 + 1),
  TPMS_CAPABILITY_DATA: capabilityData,
  TPMS_CONTEXT: context,
}

/** The wire bytes of the structure that comes next: a view. */
export function takeStructure(reader: ByteReader, bytes: Uint8Array, structure: Structure): Uint8Array {
  const start = reader.offset
  SKIPS[structure](reader)
  return bytes.subarray(start, reader.offset)
}
