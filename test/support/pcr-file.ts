import { ByteReader } from '../../shared/bytes/reader.ts'

/** Bytes of a TPML_PCR_SELECTION as a C struct: a count and sixteen entries. */
const SELECTION_STRUCT = 4 + 16 * 8
/** Bytes of a TPM2B_DIGEST as a C struct: a size and a buffer of the largest digest. */
const DIGEST_STRUCT = 2 + 64

/**
 * The PCR values in the file that `tpm2_quote --pcr` writes, in the order of the selection: a little-endian dump of
 * C structs, the selection, a count of lists, and for each a TPML_DIGEST.
 */
export function digestsOfPcrFile(bytes: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(bytes, 'little-endian')
  reader.bytes(SELECTION_STRUCT)
  const digests: Uint8Array[] = []
  for (let list = reader.u32(); list > 0; list--) {
    const count = reader.u32()
    for (let i = 0; i < 8; i++) {
      const entry = new ByteReader(reader.bytes(DIGEST_STRUCT), 'little-endian')
      if (i < count) digests.push(entry.sized16())
    }
  }
  reader.end()
  return digests
}
