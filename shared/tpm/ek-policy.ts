import { equal, fromHex } from '../bytes/bytes.ts'

/** Hash of a default endorsement key's nameAlg, and so of the session that authorizes its use. */
export type EndorsementPolicyHash = 'sha256' | 'sha384'

interface Policies {
  /** PolicySecret with the endorsement hierarchy. */
  readonly policyA: Uint8Array
  /** PolicyAuthorizeNV with the index 0x01c07f01 (SHA-384: 0x01c07f02): whatever the owner put there. */
  readonly policyC: Uint8Array
  /** PolicyOR of the two. */
  readonly policyB: Uint8Array
}

/** Policy digests of the TCG EK Credential Profile, "EK Authorization Policies". Computed anew by the tests. */
export const ENDORSEMENT_POLICIES: Readonly<Record<EndorsementPolicyHash, Policies>> = {
  sha256: {
    policyA: fromHex('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa'),
    policyC: fromHex('3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde'),
    policyB: fromHex('ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0'),
  },
  sha384: {
    policyA: fromHex(
      '8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53',
    ),
    policyC: fromHex(
      'd6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5b4947c2d73e63005eed2dc2b3593d165',
    ),
    policyB: fromHex(
      'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
    ),
  },
}

/** How to satisfy an endorsement key's policy: PolicySecret(endorsement), then PolicyOR(branches) if there are any. */
export interface EndorsementPolicy {
  /** Hash algorithm of the policy session. */
  readonly sessionHash: EndorsementPolicyHash
  /** What TPM2_PolicyOR takes, in order; empty where the PolicySecret is all. */
  readonly branches: readonly Uint8Array[]
}

/**
 * The default policy that an authPolicy digest stands for, or undefined for a policy of somebody's own. The low range
 * asks for PolicyA, the high range for PolicyB.
 */
export function endorsementPolicyOf(authPolicy: Uint8Array): EndorsementPolicy | undefined {
  for (const sessionHash of ['sha256', 'sha384'] as const) {
    const { policyA, policyB, policyC } = ENDORSEMENT_POLICIES[sessionHash]
    if (equal(authPolicy, policyA)) return { sessionHash, branches: [] }
    if (equal(authPolicy, policyB)) return { sessionHash, branches: [policyA, policyC] }
  }
  return undefined
}
