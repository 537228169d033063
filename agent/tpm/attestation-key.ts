import { concat, equal, utf8 } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { nameOf, parsePublic, type PublicArea } from '../../shared/tpm/public.ts'
import { attestationKeyTemplate, type AttestationKeyKind } from '../../shared/tpm/templates.ts'
import { TpmCommandError } from './command-error.ts'
import { readCurves } from './commands/capabilities.ts'
import { createPrimary, loadContext, readPublic, saveContext } from './commands/keys.ts'
import type { KeyContextStore } from './key-context.ts'
import type { Tpm } from './tpm.ts'

/** Which attestation key an enrolment has. Both are stored with it; neither is secret. */
export interface AttestationKeyRequest {
  readonly kind: AttestationKeyKind
  /** 32 bytes. */
  readonly seed: Uint8Array
}

/** An attestation key in the TPM, until it is flushed or the TPM is closed. */
export interface LoadedAttestationKey {
  readonly handle: number
  readonly publicArea: PublicArea
  /** TPM2B_PUBLIC. */
  readonly publicBytes: Uint8Array
  readonly name: Uint8Array
}

/** P-256, or RSA where the TPM does not have that curve. To be asked once, at enrolment. */
export async function chooseAttestationKeyKind(tpm: Tpm): Promise<AttestationKeyKind> {
  return (await readCurves(tpm)).has('p256') ? 'ecdsa-p256' : 'rsassa-2048'
}

/** Makes the key from its seed: the same one each time, which may take a real TPM a minute for RSA. */
export async function createAttestationKey(tpm: Tpm, request: AttestationKeyRequest): Promise<LoadedAttestationKey> {
  const { handle, publicBytes } = await createPrimary(tpm, attestationKeyTemplate(request.kind, request.seed))
  return describe(handle, publicBytes)
}

/**
 * As `createAttestationKey`, but makes the key once a boot: the TPM's saved context of it, kept in `store`, brings
 * it back within milliseconds. A context that the TPM does not take any more (other boot, cleared TPM) is replaced.
 * So is one of the other transport: tpm2-tss wraps contexts, and is of no use any more once it was given a bare one.
 */
export async function openAttestationKey(
  tpm: Tpm,
  request: AttestationKeyRequest,
  store: KeyContextStore,
): Promise<LoadedAttestationKey> {
  const mark = utf8(`${tpm.transport}:`)
  const kept = await store.load(request)
  const context =
    kept !== undefined && equal(kept.subarray(0, mark.length), mark) ? kept.subarray(mark.length) : undefined
  const loaded = context === undefined ? undefined : await loadIfPossible(tpm, context)
  if (loaded !== undefined) return loaded
  const key = await createAttestationKey(tpm, request)
  await store.save(request, concat(mark, await saveContext(tpm, key.handle)))
  return key
}

async function loadIfPossible(tpm: Tpm, context: Uint8Array): Promise<LoadedAttestationKey | undefined> {
  try {
    const handle = await loadContext(tpm, context)
    // The file also carries the library's own notes about the key; what counts is what the TPM says of it.
    return describe(handle, (await readPublic(tpm, handle)).publicBytes)
  } catch (error) {
    if (error instanceof TpmCommandError) return undefined
    throw error
  }
}

function describe(handle: number, publicBytes: Uint8Array): LoadedAttestationKey {
  const publicArea = parsePublic(publicBytes)
  return { handle, publicArea, publicBytes, name: nameOf(publicArea, hash) }
}
