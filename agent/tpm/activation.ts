import { ByteReader } from '../../shared/bytes/reader.ts'
import type { PublicArea } from '../../shared/tpm/public.ts'
import { createPrimary } from './commands/keys.ts'
import { policySecretEndorsement, startPolicySession } from './commands/sessions.ts'
import { ESAPI, ESYS_TR } from './esapi.ts'
import type { Tpm } from './tpm.ts'

/** What the collector sends to learn whether one TPM holds both keys. */
export interface CredentialChallenge {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array
}

/**
 * TPM2_ActivateCredential (Part 3, 12.5): the secret of the challenge, provided that it was made for the endorsement
 * key of this template and for the Name of the attestation key. Throws TpmCommandError otherwise.
 */
export async function activateCredential(
  tpm: Tpm,
  endorsementKeyTemplate: PublicArea,
  attestationKey: number,
  { credentialBlob, encryptedSecret }: CredentialChallenge,
): Promise<Uint8Array> {
  const endorsementKey = await createPrimary(tpm, endorsementKeyTemplate)
  try {
    return await withEndorsementKeyUse(tpm, endorsementKeyTemplate, async (authorization) => {
      const [secret] = await tpm.execute(ESAPI.activateCredential, [
        attestationKey,
        endorsementKey.handle,
        ESYS_TR.password,
        authorization,
        ESYS_TR.none,
        credentialBlob,
        encryptedSecret,
      ])
      return new ByteReader(secret).sized16()
    })
  } finally {
    await flushQuietly(tpm, endorsementKey.handle)
  }
}

/**
 * Keys of the low range are used by policy alone (PolicySecret with the endorsement hierarchy); those of the high
 * range have userWithAuth set, and their empty password is enough.
 */
async function withEndorsementKeyUse<T>(
  tpm: Tpm,
  template: PublicArea,
  use: (authorization: number) => Promise<T>,
): Promise<T> {
  if (template.attributes.has('userWithAuth')) return await use(ESYS_TR.password)
  const session = await startPolicySession(tpm, template.nameAlg)
  try {
    await policySecretEndorsement(tpm, session)
    return await use(session)
  } finally {
    await flushQuietly(tpm, session)
  }
}

/** A failure to clean up must not hide the failure before it; closing the TPM flushes again. */
async function flushQuietly(tpm: Tpm, handle: number): Promise<void> {
  await tpm.flush(handle).catch(() => undefined)
}
