import { concat } from '../../../shared/bytes/bytes.ts'
import { ByteReader } from '../../../shared/bytes/reader.ts'
import { RESPONSE, TpmCommandError } from '../command-error.ts'
import { BY_PASSWORD, ESAPI, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'
import { readTpmProperty, TPM_PT } from './capabilities.ts'

/** Every known TPM takes this much in one command; some take less and say so (TPM_PT_NV_BUFFER_MAX). */
const PIECE = 1024

/**
 * The content of an NV index that is readable with empty authorization, as the EK Credential Profile has it.
 * Undefined where there is no such index, or where it was never written.
 */
export async function readNvIndex(tpm: Tpm, index: number): Promise<Uint8Array | undefined> {
  try {
    return await readWholeIndex(tpm, index)
  } catch (error) {
    const response = error instanceof TpmCommandError ? error.response : undefined
    if (response === RESPONSE.handle || response === RESPONSE.nvUninitialized) return undefined
    throw error
  }
}

async function readWholeIndex(tpm: Tpm, index: number): Promise<Uint8Array> {
  const [handle] = await tpm.execute(ESAPI.handleOf, [index, ...UNAUTHORIZED])
  const [nvPublic] = await tpm.execute(ESAPI.nvReadPublic, [handle, ...UNAUTHORIZED])
  const size = dataSize(nvPublic)
  const limit = Math.min(PIECE, (await readTpmProperty(tpm, TPM_PT.nvBufferMax)) || PIECE)
  const pieces: Uint8Array[] = []
  for (let offset = 0; offset < size; offset += limit) {
    const length = Math.min(limit, size - offset)
    const [piece] = await tpm.execute(ESAPI.nvRead, [handle, handle, ...BY_PASSWORD, length, offset])
    pieces.push(new ByteReader(piece).sized16())
  }
  return concat(...pieces)
}

/** TPM2B_NV_PUBLIC, Part 2 sections 13.5 and 13.6: the size of the data stands last. */
function dataSize(nvPublic: Uint8Array): number {
  const reader = new ByteReader(new ByteReader(nvPublic).sized16())
  reader.u32() // nvIndex
  reader.u16() // nameAlg
  reader.u32() // attributes
  reader.sized16() // authPolicy
  const size = reader.u16()
  reader.end()
  return size
}
