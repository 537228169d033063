import { ByteWriter } from '../../../shared/bytes/writer.ts'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { hashId, TPM_ALG, TPM_RH_NULL, TPM_ST_HASHCHECK } from '../../../shared/tpm/constants.ts'
import type { PublicArea, SigningScheme } from '../../../shared/tpm/public.ts'
import { BY_PASSWORD, ESAPI, ESYS_TR, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/** TPMT_TK_HASHCHECK (Part 2, 10.7.6) of nobody: all that an unrestricted key asks for. */
const NO_TICKET = new ByteWriter().u16(TPM_ST_HASHCHECK).u32(TPM_RH_NULL).sized16(new Uint8Array(0)).finish()

/** A TPM2B_MAX_BUFFER holds 1024 bytes on every TPM; statements are far below. */
const MAX_MESSAGE = 1024

/** What is to be signed, and the TPM's word that it does not pass for something that it made itself. */
async function digestOf(
  tpm: Tpm,
  { attributes }: PublicArea,
  algorithm: HashAlgorithm,
  message: Uint8Array,
): Promise<readonly [digest: Uint8Array, ticket: Uint8Array]> {
  if (!attributes.has('restricted')) {
    return [new ByteWriter().sized16(hash(algorithm, message)).finish(), NO_TICKET]
  }
  if (message.length > MAX_MESSAGE) throw new RangeError(`${message.length} bytes in one TPM2_Hash`)
  // TPM2_Hash (Part 3, 15.4): a restricted key signs a digest that the TPM computed itself, of what does not begin
  // with TPM_GENERATED_VALUE.
  const data = new ByteWriter().sized16(message).finish()
  return tpm.execute(ESAPI.hash, [...UNAUTHORIZED, data, hashId(algorithm), ESYS_TR.endorsement])
}

/** TPM_ALG_NULL where the key has a scheme of its own, which is then the only one that it takes. */
function schemeOf({ scheme }: PublicArea, wanted: SigningScheme): Uint8Array {
  const none = new ByteWriter().u16(TPM_ALG.null).finish()
  return scheme !== null ? none : new ByteWriter().u16(TPM_ALG[wanted.scheme]).u16(hashId(wanted.hash)).finish()
}

/**
 * TPM2_Sign (Part 3, 20.2) over a message, by a key with empty authorization: a TPMT_SIGNATURE. `scheme`: the key's
 * own, or the one to use where it has none.
 */
export async function signMessage(
  tpm: Tpm,
  key: { readonly handle: number; readonly area: PublicArea },
  scheme: SigningScheme,
  message: Uint8Array,
): Promise<Uint8Array> {
  const [digest, ticket] = await digestOf(tpm, key.area, scheme.hash, message)
  const inputs = [key.handle, ...BY_PASSWORD, digest, schemeOf(key.area, scheme), ticket] as const
  const [signature] = await tpm.execute(ESAPI.sign, inputs)
  return signature
}
