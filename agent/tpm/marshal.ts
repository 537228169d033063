import { commandError } from './command-error.ts'
import type { TssLibraries } from './library.ts'

/**
 * No C structure of tpm2-tss is described here. libtss2-mu turns the TPM's wire format, which `shared/tpm` reads and
 * writes, into its structures and back; to this process they are opaque memory.
 */
export type WireType =
  | 'TPM2B_DATA'
  | 'TPM2B_DIGEST'
  | 'TPM2B_NAME'
  | 'TPM2B_ATTEST'
  | 'TPM2B_PUBLIC'
  | 'TPM2B_SENSITIVE_CREATE'
  | 'TPM2B_CREATION_DATA'
  | 'TPM2B_ID_OBJECT'
  | 'TPM2B_ENCRYPTED_SECRET'
  | 'TPM2B_MAX_BUFFER'
  | 'TPM2B_MAX_NV_BUFFER'
  | 'TPM2B_NV_PUBLIC'
  | 'TPML_PCR_SELECTION'
  | 'TPML_DIGEST'
  | 'TPML_DIGEST_VALUES'
  | 'TPMT_SIGNATURE'
  | 'TPMT_SIG_SCHEME'
  | 'TPMT_SYM_DEF'
  | 'TPMT_TK_HASHCHECK'
  | 'TPMS_TIME_INFO'
  | 'TPMS_CAPABILITY_DATA'
  | 'TPMS_CONTEXT'

/** Memory in the layout of one C structure. The library's own affair; only its address is ever used. */
export type OpaqueStructure = Uint8Array

/** Bytes that hold any structure in use, as C keeps it and as it travels. The largest is TPMS_CONTEXT with 5.2 KiB. */
const roomFor = (type: WireType): number => (type === 'TPMS_CONTEXT' ? 8192 : 4096)

/** A pointer-sized or size_t-sized cell of memory that C writes to. Little-endian, like every platform koffi serves. */
export class Cell {
  readonly memory: Buffer

  constructor(libraries: TssLibraries, type: 'void *' | 'size_t' = 'void *') {
    this.memory = Buffer.alloc(libraries.sizeOf(type))
  }

  get value(): bigint {
    return this.memory.length === 8 ? this.memory.readBigUInt64LE() : BigInt(this.memory.readUInt32LE())
  }

  set value(value: bigint) {
    if (this.memory.length === 8) this.memory.writeBigUInt64LE(value)
    else this.memory.writeUInt32LE(Number(value))
  }
}

/**
 * Wire format to C structure. Throws TpmCommandError when `bytes` is not exactly one structure of this type.
 */
export function unmarshal(libraries: TssLibraries, type: WireType, bytes: Uint8Array): OpaqueStructure {
  const name = `Tss2_MU_${type}_Unmarshal`
  const run = libraries.find('mu', name, 'uint32_t', ['void *', 'size_t', 'void *', 'void *'])
  const structure = Buffer.alloc(roomFor(type))
  const consumed = new Cell(libraries, 'size_t')
  const rc = Number(run(bytes, bytes.length, consumed.memory, structure))
  if (rc !== 0) throw commandError(libraries, name, rc)
  if (consumed.value !== BigInt(bytes.length)) throw commandError(libraries, name, MU_BAD_SIZE)
  return structure
}

/** TSS2_MU_RC_BAD_SIZE: what the library itself answers when the bytes are too few. */
const MU_BAD_SIZE = 0x90010

/** C structure to wire format: a copy, the structure may be freed afterwards. */
export function marshal(libraries: TssLibraries, type: WireType, structure: bigint | OpaqueStructure): Uint8Array {
  const name = `Tss2_MU_${type}_Marshal`
  const run = libraries.find('mu', name, 'uint32_t', ['void *', 'void *', 'size_t', 'void *'])
  const wire = Buffer.alloc(roomFor(type))
  const written = new Cell(libraries, 'size_t')
  const rc = Number(run(structure, wire, wire.length, written.memory))
  if (rc !== 0) throw commandError(libraries, name, rc)
  return Uint8Array.from(wire.subarray(0, Number(written.value)))
}
