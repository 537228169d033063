import { fromHex } from '../../../shared/bytes/bytes.ts'
import { ByteReader } from '../../../shared/bytes/reader.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import { encodePcrSelection, type PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { encodePublic, type PublicArea } from '../../../shared/tpm/public.ts'
import { withEndorsementAuthorization } from '../command-error.ts'
import { BY_PASSWORD, ESAPI, ESYS_TR, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/** TPM2B_SENSITIVE_CREATE (Part 2, 11.1.16) with empty authorization and no data: the TPM makes the secret part. */
const EMPTY_SENSITIVE = fromHex('000400000000')
const EMPTY_SIZED = fromHex('0000')
const EMPTY_LIST = fromHex('00000000')

/** A key in the TPM until it is flushed. */
export interface LoadedKey {
  readonly handle: number
  /** TPM2B_PUBLIC. */
  readonly publicBytes: Uint8Array
}

/**
 * TPM2_CreatePrimary under the endorsement hierarchy (Part 3, 24.1). The same template gives the same key until the
 * hierarchy's seed is changed. Throws `tpm.hierarchy-locked` when the hierarchy's password is missing or wrong.
 */
export async function createPrimary(tpm: Tpm, template: PublicArea): Promise<LoadedKey> {
  const [handle, publicBytes] = await withEndorsementAuthorization(() =>
    tpm.execute(ESAPI.createPrimary, [
      ESYS_TR.endorsement,
      ...BY_PASSWORD,
      EMPTY_SENSITIVE,
      encodePublic(template),
      EMPTY_SIZED,
      EMPTY_LIST,
    ]),
  )
  return { handle, publicBytes }
}

/** TPM2_ReadPublic (Part 3, 12.4): TPM2B_PUBLIC, and the TPM's own computation of the Name without its size. */
export async function readPublic(tpm: Tpm, handle: number): Promise<{ publicBytes: Uint8Array; name: Uint8Array }> {
  const [publicBytes, name] = await tpm.execute(ESAPI.readPublic, [handle, ...UNAUTHORIZED])
  return { publicBytes, name: new ByteReader(name).sized16() }
}

/** TPM2_ContextSave (Part 3, 28.2). The answer is encrypted to this TPM and this boot; it is no secret. */
export async function saveContext(tpm: Tpm, handle: number): Promise<Uint8Array> {
  const [context] = await tpm.execute(ESAPI.contextSave, [handle])
  return context
}

/** TPM2_ContextLoad (Part 3, 28.3). Throws TpmCommandError for a context of another boot or TPM. */
export async function loadContext(tpm: Tpm, context: Uint8Array): Promise<number> {
  const [handle] = await tpm.execute(ESAPI.contextLoad, [context])
  return handle
}

/** TPM_ALG_NULL for a scheme: the one in the key's public area is used. */
const KEY_SCHEME = fromHex('0010')

/**
 * TPM2_Quote (Part 3, 18.4) by a key with empty authorization.
 * Gives TPMS_ATTEST and TPMT_SIGNATURE, neither with a size in front.
 */
export async function quote(
  tpm: Tpm,
  key: number,
  selection: PcrSelection,
  extraData: Uint8Array,
): Promise<{ attest: Uint8Array; signature: Uint8Array }> {
  const [attest, signature] = await tpm.execute(ESAPI.quote, [
    key,
    ...BY_PASSWORD,
    new ByteWriter().sized16(extraData).finish(),
    KEY_SCHEME,
    encodePcrSelection(selection),
  ])
  return { attest: new ByteReader(attest).sized16(), signature }
}
