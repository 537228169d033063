import { equal, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { parseSign1, verifySign1 } from '../../../shared/cose/sign1.ts'
import { ecdsaKey, ed25519Key, hash, rsaKey } from '../../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import {
  RENEWAL_PROOF_TYPE,
  renewalBinding,
  renewalProofAad,
  signRenewalGrant,
  type RenewalBegin,
  type RenewalChallenge,
  type RenewalGrant,
  type RenewalRequest,
} from '../../../shared/evidence/renewal.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { parsePublicArea } from '../../../shared/tpm/public.ts'
import type { Device, DeviceTpm } from '../../model/device.ts'
import { verifyCertificateRequest } from '../certificate-request.ts'
import { issueDeviceCertificate } from '../device-certificates.ts'
import { bytesOf } from './claims.ts'
import { audited, type EnrolmentDependencies } from './dependencies.ts'
import { checkQuote } from './proof.ts'
import { makeChallenge, readChallenge } from './renewal-challenge.ts'

/**
 * The first call. Whoever asks gets a challenge, for a device that there is and for one that there is not: the answer
 * tells nobody which devices are enrolled, and leaves nothing behind here.
 */
export function beginRenewal({ ueid }: RenewalBegin, dependencies: EnrolmentDependencies): RenewalChallenge {
  const { keys, now, random } = dependencies
  return { challenge: toBase64Url(makeChallenge(keys.challengeKey, ueid as Ueid, now(), random)) }
}

function attestationKey({ akPublic, akName }: DeviceTpm) {
  const qualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, akName, hash)
  return attestationKeyOf(parsePublicArea(akPublic), qualifiedName, { ecdsaKey, rsaKey })
}

/** Throws `enrol.binding-invalid` unless device key, and TPM where the device has one, have signed these terms. */
function checkProofs(body: RenewalRequest, device: Device, binding: Uint8Array): void {
  // A device that was enrolled with a TPM is renewed with it, or not at all.
  if ((body.tpm === null) !== (device.tpm === null)) {
    throw new KeepsealError('enrol.binding-invalid', 'the quote does not fit how the device was enrolled')
  }
  try {
    const { payload } = verifySign1(parseSign1(bytesOf(body.proof, 'proof')), {
      key: ed25519Key(device.deviceKey),
      keyId: device.deviceKeyThumbprint,
      externalAad: renewalProofAad(device.ueid),
      contentType: RENEWAL_PROOF_TYPE,
    })
    if (!equal(payload, binding)) throw new KeepsealError('enrol.binding-invalid', 'the device signed other terms')
    if (body.tpm === null || device.tpm === null) return
    const { attest, signature } = body.tpm
    const key = attestationKey(device.tpm)
    checkQuote(bytesOf(attest, 'tpm.attest'), bytesOf(signature, 'tpm.signature'), key, binding)
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw new KeepsealError('enrol.binding-invalid', `${error.code}, ${error.message}`, { cause: error })
  }
}

async function renew(body: RenewalRequest, dependencies: EnrolmentDependencies): Promise<RenewalGrant> {
  const { store, keys, random, certificateLifetimeMs, mqttUrl } = dependencies
  const now = dependencies.now()
  const challenge = bytesOf(body.challenge, 'challenge')
  readChallenge(keys.challengeKey, body.ueid as Ueid, challenge, now)
  const device = await store.devices.byUeid(body.ueid as Ueid)
  // Whether the certificate has expired does not matter: that is what this is for.
  if (device === undefined) throw new KeepsealError('enrol.device-unknown')
  if (device.enrolment === 'revoked') throw new KeepsealError('enrol.revoked')
  const key = verifyCertificateRequest(bytesOf(body.tlsRequest, 'tlsRequest'))
  const terms = {
    collectorKeyThumbprint: keys.signer.keyId,
    challenge,
    ueid: device.ueid,
    deviceKeyThumbprint: device.deviceKeyThumbprint,
    tlsKeyHash: key.hash,
  }
  checkProofs(body, device, renewalBinding(terms, hash))
  const order = { ueid: device.ueid, key, now, lifetimeMs: certificateLifetimeMs, random }
  const { certificate, notAfter, keyHash } = await issueDeviceCertificate(keys.authority, order)
  await store.transaction(async (transaction) => {
    // Looked at again: it may have been revoked, or enrolled with another key, meanwhile.
    const renewed = await transaction.devices.renewCertificate(device.id, device.deviceKeyThumbprint, {
      tlsKeyHash: keyHash,
      certificateNotAfter: notAfter,
    })
    if (!renewed) throw new KeepsealError('enrol.revoked')
    await transaction.auditLog.append({
      at: now,
      actor: 'collector',
      action: 'device.renew',
      subject: device.ueid,
      detail: { certificateNotAfter: notAfter, expiredBefore: device.certificateNotAfter < now },
    })
  })
  const granted = { challenge, certificate, certificateAuthority: keys.authorities, mqttUrl }
  return { grant: toBase64Url(await signRenewalGrant(granted, device.ueid, keys.signer)) }
}

/**
 * The second call. The same call again gives another certificate for the same key: an answer that was lost costs nothing.
 * Throws KeepsealError `request.invalid` or `enrol.*`.
 */
export async function renewCertificate(
  body: RenewalRequest,
  dependencies: EnrolmentDependencies,
): Promise<RenewalGrant> {
  return audited(dependencies, body.ueid, () => renew(body, dependencies))
}
