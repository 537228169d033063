import { fromHex } from '../../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hashId } from '../../../shared/tpm/constants.ts'
import { withEndorsementAuthorization } from '../command-error.ts'
import { BY_PASSWORD, ESAPI, ESYS_TR, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/** TPM_SE_POLICY, Part 2 section 6.11. */
const POLICY_SESSION = 1

/** TPMT_SYM_DEF with TPM_ALG_NULL: the session encrypts no parameters. */
const NO_ENCRYPTION = fromHex('0010')

/** TPM2_StartAuthSession (Part 3, 11.1), unbound and unsalted. ESAPI chooses the nonce. To be flushed after use. */
export async function startPolicySession(tpm: Tpm, hash: HashAlgorithm): Promise<number> {
  const [session] = await tpm.execute(ESAPI.startAuthSession, [
    ESYS_TR.none,
    ESYS_TR.none,
    ...UNAUTHORIZED,
    null,
    POLICY_SESSION,
    NO_ENCRYPTION,
    hashId(hash),
  ])
  return session
}

/**
 * TPM2_PolicySecret (Part 3, 23.4) with the endorsement hierarchy: PolicyA of the EK Credential Profile.
 * Throws `tpm.hierarchy-locked` when the hierarchy's password is missing or wrong.
 */
export async function policySecretEndorsement(tpm: Tpm, session: number): Promise<void> {
  const noExpiration = 0
  await withEndorsementAuthorization(() =>
    tpm.execute(ESAPI.policySecret, [ESYS_TR.endorsement, session, ...BY_PASSWORD, null, null, null, noExpiration]),
  )
}

/** Tells ESAPI the endorsement hierarchy's password for what follows. Nothing is sent to the TPM by this. */
export async function useEndorsementPassword(tpm: Tpm, password: Uint8Array): Promise<void> {
  await tpm.execute(ESAPI.setAuthorization, [ESYS_TR.endorsement, new ByteWriter().sized16(password).finish()])
}
