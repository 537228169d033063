import { createPrivateKey, createPublicKey } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { toBase64Url } from '../../shared/bytes/bytes.ts'
import { encodeCoseKey } from '../../shared/cose/key.ts'
import { signSign1 } from '../../shared/cose/sign1.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import {
  ENROLMENT_PROOF_TYPE,
  enrolmentBinding,
  enrolmentProofAad,
  idevidStatement,
  NO_TOKEN_HASH,
  tokenHash,
} from '../../shared/evidence/binding.ts'
import {
  EnrolmentChallenge,
  EnrolmentGrant,
  type EnrolmentBegin,
  type EnrolmentFinish,
  type ProductIdentity,
} from '../../shared/evidence/enrolment.ts'
import { deviceSigner } from '../state/device-key.ts'
import { ensurePrivateDirectory } from '../state/files.ts'
import { loadIdentity, saveIdentity, type Identity } from '../state/identity.ts'
import { statePaths } from '../state/paths.ts'
import { FIRST_TRUST } from '../state/trust.ts'
import { certificateRequest } from './certificate-request.ts'
import { readChallenge, type ReadChallenge } from './challenge.ts'
import { verifyGrant } from './grant.ts'
import { postJson } from './https-client.ts'
import { enrolmentKeys, type EnrolmentKeys } from './pending.ts'
import type { EnrolmentTpm } from './tpm-session.ts'

export interface Enrolment {
  /** `https://HOST:PORT`. */
  readonly collectorUrl: string
  /** PEM of the authorities that may have certified the collector; Node's own list without it. */
  readonly authorities: string | undefined
  /** One-time token. Never logged, never kept. null: the endorsement key or the IDevID stands for it. */
  readonly token: string | null
  readonly product: ProductIdentity
  /** The TPM with an attestation key made from this seed; null for a machine without one. */
  readonly openTpm: ((attestationKeySeed: Uint8Array) => Promise<EnrolmentTpm>) | null
  readonly stateDirectory: string
  /** Enrols also where there is an identity, which is replaced when all has succeeded. */
  readonly again: boolean
  /** Seconds since 1970. */
  readonly now: () => number
  readonly random: RandomFunction
}

/**
 * Enrols this device: afterwards its identity is on disk and in force, or nothing has changed. What was interrupted
 * can be done again with the same token.
 * Throws KeepsealError `agent.already-enrolled`, `collector.*`, `tpm.*`, `state.*`.
 */
export async function enrol(enrolment: Enrolment): Promise<Identity> {
  const { stateDirectory, openTpm, again, random } = enrolment
  await ensurePrivateDirectory(stateDirectory)
  if (!again) await assertNotEnrolled(stateDirectory)
  const { pendingEnrolment } = statePaths(stateDirectory)
  const keys = await enrolmentKeys(pendingEnrolment, random)
  const tpm = openTpm === null ? null : await openTpm(keys.attestationKeySeed)
  let identity: Identity
  try {
    identity = await exchange(enrolment, keys, tpm)
  } finally {
    await tpm?.close()
  }
  // They are part of the identity now, or of nothing: the next enrolment makes its own.
  await rm(pendingEnrolment, { force: true })
  return identity
}

async function assertNotEnrolled(stateDirectory: string): Promise<void> {
  try {
    const { ueid } = await loadIdentity(stateDirectory)
    throw new KeepsealError('agent.already-enrolled', ueid)
  } catch (error) {
    if (!(error instanceof KeepsealError) || error.code !== 'agent.not-enrolled') throw error
  }
}

async function exchange(enrolment: Enrolment, keys: EnrolmentKeys, tpm: EnrolmentTpm | null): Promise<Identity> {
  const { collectorUrl, authorities, token, product, stateDirectory, now } = enrolment
  const signer = deviceSigner(keys.deviceKeySeed)
  const tlsKey = createPrivateKey(keys.tlsKey)
  const at = (step: string): URL => new URL(`/enroll/v1/${step}`, collectorUrl)

  const begin: EnrolmentBegin = {
    token,
    deviceKey: toBase64Url(encodeCoseKey(signer.publicKey)),
    tlsRequest: toBase64Url(certificateRequest(tlsKey)),
    product,
    tpm: tpm === null ? null : describeTpm(tpm),
  }
  const answer = await postJson({ url: at('begin'), body: begin, authorities }, EnrolmentChallenge)
  const challenge = readChallenge(answer, tpm !== null)
  const binding = enrolmentBinding(
    {
      collectorKeyThumbprint: challenge.collectorKeyThumbprint,
      challenge: challenge.challenge,
      deviceKeyThumbprint: signer.keyId,
      tlsKeyHash: sha256(createPublicKey(tlsKey).export({ format: 'der', type: 'spki' })),
      ekName: tpm?.ekName ?? null,
      product,
      tokenHash: token === null ? NO_TOKEN_HASH : tokenHash(token, hash),
      idevidCertificateHash: tpm?.idevid === undefined ? null : sha256(tpm.idevid.certificate),
    },
    hash,
  )
  const proof = await signSign1({
    payload: binding,
    contentType: ENROLMENT_PROOF_TYPE,
    externalAad: enrolmentProofAad(),
    signer,
  })
  const finish: EnrolmentFinish = {
    enrolmentId: challenge.enrolmentId,
    proof: toBase64Url(proof),
    tpm: await answerOf(tpm, challenge, binding),
  }
  const grant = verifyGrant(
    await postJson({ url: at('finish'), body: finish, authorities }, EnrolmentGrant),
    keys.tlsKey,
    tpm !== null,
  )
  return saveIdentity(stateDirectory, {
    ueid: grant.ueid,
    assurance: grant.identity,
    product,
    enrolledAt: now(),
    deviceKeySeed: keys.deviceKeySeed,
    receiptSecret: grant.receiptSecret,
    attestationKey: tpm?.attestationKey ?? null,
    collector: {
      url: collectorUrl,
      mqttUrl: grant.mqttUrl,
      id: challenge.collectorId,
      publicKey: challenge.collectorKey,
    },
    tls: {
      privateKey: keys.tlsKey,
      certificate: grant.certificate,
      certificateAuthority: grant.certificateAuthority,
    },
    // What was before its enrolment is nothing that this device could be led back to.
    ...(challenge.succession === 0 ? {} : { trust: { ...FIRST_TRUST, number: challenge.succession } }),
  })
}

function describeTpm({ ekPublic, ekCertificate, akPublic, idevid }: EnrolmentTpm): EnrolmentBegin['tpm'] {
  return {
    ekPublic: toBase64Url(ekPublic),
    ekCertificate: ekCertificate === null ? null : toBase64Url(ekCertificate),
    akPublic: toBase64Url(akPublic),
    ...(idevid === undefined ? {} : { idevidCertificate: toBase64Url(idevid.certificate) }),
  }
}

async function answerOf(
  tpm: EnrolmentTpm | null,
  { credential }: ReadChallenge,
  binding: Uint8Array,
): Promise<EnrolmentFinish['tpm']> {
  if (tpm === null || credential === null) return null
  const secret = await tpm.activate(credential)
  const { attest, signature } = await tpm.quote(binding)
  const answer = { secret: toBase64Url(secret), attest: toBase64Url(attest), signature: toBase64Url(signature) }
  if (tpm.idevid === undefined) return answer
  return { ...answer, idevidSignature: toBase64Url(await tpm.idevid.sign(idevidStatement(binding))) }
}
