import { toHex } from '../bytes/bytes.ts'
import { ByteRangeError, ByteReader } from '../bytes/reader.ts'

/** The signature in a template's `sig` field. Who wrote the file chose every byte of it; nothing is verified here. */
export interface ImaSignature {
  /** `ima`: over the digest of the file. `evm-portable`: over its metadata, and no statement on the digest alone. */
  readonly kind: 'ima' | 'evm-portable'
  /** 2: over the digest. 3: over a structure that names the kind of the digest. */
  readonly version: number
  /** The kernel's name of the digest algorithm; undefined for a number that is not among the usual ones. */
  readonly algorithm: string | undefined
  /** Last four bytes of the key's subject key identifier, as 8 lower-case hexadecimal digits. */
  readonly keyId: string
  readonly bytes: Uint8Array
}

/** enum evm_ima_xattr_type of security/integrity/integrity.h. */
const KINDS: ReadonlyMap<number, ImaSignature['kind']> = new Map([
  [3, 'ima'],
  [5, 'evm-portable'],
])

/** enum hash_algo of include/uapi/linux/hash_info.h. */
const ALGORITHMS = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224']

/** struct signature_v2_hdr, which is big-endian. Undefined for anything else, such as the older format. */
export function parseImaSignature(xattr: Uint8Array): ImaSignature | undefined {
  const reader = new ByteReader(xattr)
  try {
    const kind = KINDS.get(reader.u8())
    const version = reader.u8()
    const algorithm = ALGORITHMS[reader.u8()]
    const keyId = toHex(reader.bytes(4))
    const bytes = reader.sized16()
    reader.end()
    return kind === undefined || (version !== 2 && version !== 3)
      ? undefined
      : { kind, version, algorithm, keyId, bytes }
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined
    throw error
  }
}
