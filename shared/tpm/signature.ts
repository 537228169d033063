import { concat } from '../bytes/bytes.ts'
import type { ByteReader } from '../bytes/reader.ts'
import { ByteWriter } from '../bytes/writer.ts'
import type { HashAlgorithm } from '../crypto/crypto.ts'
import { CURVE_SIZE, hashId, TPM_ALG, type EccCurve } from './constants.ts'
import type { PublicArea } from './public.ts'
import { malformed, readHash, readWhole, refused } from './structure.ts'

/** TPMT_SIGNATURE, Part 2 section 11.3.4, of the three schemes that an attestation key may have. */
export type TpmSignature =
  | { readonly scheme: 'rsassa' | 'rsapss'; readonly hash: HashAlgorithm; readonly signature: Uint8Array }
  | { readonly scheme: 'ecdsa'; readonly hash: HashAlgorithm; readonly r: Uint8Array; readonly s: Uint8Array }

/** RSA of 4096 bits, the largest that a TPM has. */
const MAX_RSA_SIGNATURE = 512
const MAX_ECDSA_INTEGER = Math.max(...Object.values(CURVE_SIZE))

function sized(reader: ByteReader, maximum: number): Uint8Array {
  const bytes = reader.sized16()
  if (bytes.length === 0 || bytes.length > maximum) throw malformed(`signature part of ${bytes.length} bytes`)
  return bytes
}

function readSignature(reader: ByteReader): TpmSignature {
  const id = reader.u16()
  if (id === TPM_ALG.ecdsa) {
    const hash = readHash(reader)
    return { scheme: 'ecdsa', hash, r: sized(reader, MAX_ECDSA_INTEGER), s: sized(reader, MAX_ECDSA_INTEGER) }
  }
  const scheme = id === TPM_ALG.rsassa ? 'rsassa' : id === TPM_ALG.rsapss ? 'rsapss' : undefined
  if (scheme === undefined) throw refused('signature scheme', id)
  return { scheme, hash: readHash(reader), signature: sized(reader, MAX_RSA_SIGNATURE) }
}

/** Parses a whole TPMT_SIGNATURE. Throws `tpm.malformed`, or `tpm.algorithm-refused` for another scheme or hash. */
export function parseSignature(bytes: Uint8Array): TpmSignature {
  return readWhole(bytes, readSignature)
}

export function encodeSignature(signature: TpmSignature): Uint8Array {
  const writer = new ByteWriter().u16(TPM_ALG[signature.scheme]).u16(hashId(signature.hash))
  if (signature.scheme === 'ecdsa') writer.sized16(signature.r).sized16(signature.s)
  else writer.sized16(signature.signature)
  return writer.finish()
}

/** A big-endian number at the full width of the curve: a TPM may leave out leading zeros. */
export function atCurveWidth(number: Uint8Array, curve: EccCurve): Uint8Array {
  const width = CURVE_SIZE[curve]
  if (number.length > width) throw malformed(`${number.length} bytes for a number of ${width}`)
  return concat(new Uint8Array(width - number.length), number)
}

/**
 * The signature in the form that the VerificationKey of `area` takes. Throws `tpm.malformed` for a number that is
 * wider than the curve; a signature of the wrong kind of key comes out as bytes that do not verify.
 */
export function signatureBytes(signature: TpmSignature, area: PublicArea): Uint8Array {
  if (signature.scheme !== 'ecdsa') return signature.signature
  if (area.type !== 'ecc') return concat(signature.r, signature.s)
  return concat(atCurveWidth(signature.r, area.curve), atCurveWidth(signature.s, area.curve))
}
