import * as v from 'valibot'
import { equal, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { enrolmentBinding, NO_TOKEN_HASH } from '../../../shared/evidence/binding.ts'
import type { EnrolmentFinish, EnrolmentGrant } from '../../../shared/evidence/enrolment.ts'
import { makeUeid, type Ueid } from '../../../shared/evidence/identifiers.ts'
import type { Device } from '../../model/device.ts'
import type { EnrolmentToken, PendingEnrolment } from '../../model/product.ts'
import type { Store } from '../../store/index.ts'
import { recordEnrolment } from '../../tracking/transitions.ts'
import { issueDeviceCertificate, type DeviceCertificate } from '../device-certificates.ts'
import { deviceToReenrol, enrolmentAfter, productOf } from './admission.ts'
import { EnrolmentRequest, readClaims, type EnrolmentClaims } from './claims.ts'
import { audited, type EnrolmentDependencies } from './dependencies.ts'
import { checkProofs } from './proof.ts'

/** An enrolment whose proofs were accepted. */
interface Accepted {
  readonly pending: PendingEnrolment
  readonly token: EnrolmentToken
  readonly claims: EnrolmentClaims
  readonly now: number
}

async function accept(
  body: EnrolmentFinish,
  pending: PendingEnrolment,
  { store, keys, now: clock }: EnrolmentDependencies,
): Promise<Accepted> {
  const now = clock()
  if (now >= pending.expiresAt) throw new KeepsealError('enrol.challenge-expired')
  const token = await store.enrolmentTokens.byId(pending.tokenId)
  if (token === undefined) throw new KeepsealError('enrol.token-unknown')
  const claims = readClaims(v.parse(EnrolmentRequest, JSON.parse(pending.request)))
  const binding = enrolmentBinding(
    {
      collectorKeyThumbprint: keys.signer.keyId,
      challenge: pending.challenge,
      deviceKeyThumbprint: claims.deviceKey.thumbprint,
      tlsKeyHash: claims.tls.hash,
      ekName: claims.tpm?.ekName ?? null,
      product: claims.product,
      tokenHash: token.registration === null ? token.tokenHash : NO_TOKEN_HASH,
      idevidCertificateHash: claims.tpm?.idevid?.fingerprint ?? null,
    },
    hash,
  )
  checkProofs(body, claims, pending.secretHash, binding)
  return { pending, token, claims, now }
}

function keysOf({ pending, claims }: Accepted, certificate: DeviceCertificate) {
  const { tpm, deviceKey } = claims
  return {
    identity: pending.identity,
    deviceKey: deviceKey.bytes,
    deviceKeyThumbprint: deviceKey.thumbprint,
    tlsKeyHash: certificate.keyHash,
    certificateNotAfter: certificate.notAfter,
    tpm:
      tpm === null
        ? null
        : { ekName: tpm.chipName, ekCertificate: tpm.ekCertificate, akPublic: tpm.akPublic, akName: tpm.akName },
  }
}

const NO_TPM = new Uint8Array(0)

const isOtherTpm = (before: Device, { tpm }: EnrolmentClaims): boolean =>
  !equal(before.tpm?.ekName ?? NO_TPM, tpm?.chipName ?? NO_TPM)

/** What changed about the device's identity, for the audit log. */
function changes(before: Device | null, { claims, pending }: Accepted): Record<string, unknown> {
  if (before === null) return {}
  return {
    previousIdentity: before.identity,
    previousEnrolment: before.enrolment,
    identityChanged: before.identity !== pending.identity,
    tpmReplaced: isOtherTpm(before, claims),
    deviceKeyReplaced: !equal(before.deviceKeyThumbprint, claims.deviceKey.thumbprint),
  }
}

/** Runs in one transaction: either the token is used up and the device is stored, or neither. */
async function commit(accepted: Accepted, ueid: Ueid, certificate: DeviceCertificate, store: Store): Promise<void> {
  const { token, claims, pending, now } = accepted
  // First, so that of several who arrive together all but one end here.
  if (!(await store.enrolmentTokens.consume(token.id, ueid, now))) {
    if (token.registration === null) throw new KeepsealError('enrol.token-used')
    const isRevoked = (await store.registrations.byId(token.id))?.registration?.revokedAt !== null
    throw new KeepsealError(isRevoked ? 'enrol.ek-registration-revoked' : 'enrol.ek-registration-used')
  }
  const product = await productOf(token, claims.product, store)
  const before = await deviceToReenrol(claims, token, store)
  const enrolment = enrolmentAfter(product, before)
  let deviceId: number
  if (before === null) {
    const { vendor, model, hardwareRevision, serial } = claims.product
    const inserted = await store.devices.insert({
      ueid,
      productId: product.id,
      vendor,
      model,
      hardwareRevision,
      serial,
      enrolment,
      enrolledAt: now,
      revokedAt: null,
      ...keysOf(accepted, certificate),
    })
    deviceId = inserted.id
  } else {
    deviceId = before.id
    // Keys alone: verdict, latch and findings stay what they are.
    await store.devices.updateKeys(before.id, keysOf(accepted, certificate))
    if (isOtherTpm(before, claims)) {
      // Another chip's clock: compared with the old one's, it would look like a TPM that was cleared.
      await store.devices.saveState(before.id, { ...(await store.devices.stateOf(before.id)), tpmClock: null })
    }
    if (enrolment !== before.enrolment) await store.devices.updateEnrolment(before.id, enrolment, now)
  }
  const cause = before === null ? 'device.enrol' : 'device.re-enrol'
  const idevid = claims.tpm?.idevid ?? null
  await recordEnrolment(store, deviceId, { from: before?.enrolment ?? null, to: enrolment, at: now, cause })
  await store.auditLog.append({
    at: now,
    actor: 'collector',
    action: cause,
    subject: ueid,
    detail: {
      enrolmentId: pending.id,
      tokenId: token.id,
      registration: token.registration?.kind ?? null,
      idevid: idevid === null ? null : toHex(idevid.fingerprint),
      identity: pending.identity,
      enrolment,
      deviceKey: toHex(claims.deviceKey.thumbprint),
      ekName: claims.tpm === null ? null : toHex(claims.tpm.ekName),
      akName: claims.tpm === null ? null : toHex(claims.tpm.akName),
      ...changes(before, accepted),
    },
  })
}

async function grant(accepted: Accepted, dependencies: EnrolmentDependencies): Promise<EnrolmentGrant> {
  const { store, keys, random, certificateLifetimeMs, mqttUrl } = dependencies
  const { claims, token, now, pending } = accepted
  const known = await deviceToReenrol(claims, token, store)
  const ueid = known?.ueid ?? makeUeid(random(16))
  // Before the transaction, which should be short; a certificate that is never handed out harms nobody.
  const certificate = await issueDeviceCertificate(keys.authority, {
    ueid,
    key: claims.tls,
    now,
    lifetimeMs: certificateLifetimeMs,
    random,
  })
  await store.transaction((transaction) => commit(accepted, ueid, certificate, transaction))
  return {
    ueid,
    identity: pending.identity,
    certificate: certificate.certificate,
    certificateAuthority: keys.authorities,
    receiptKey: toBase64Url(keys.receiptKeyOf(ueid, claims.deviceKey.thumbprint)),
    mqttUrl,
  }
}

/**
 * The second call. A challenge is answered once: whatever comes of it, another try begins anew, with the token still
 * reserved for the same device.
 * Throws KeepsealError `request.invalid` or `enrol.*`.
 */
export async function finishEnrolment(
  body: EnrolmentFinish,
  dependencies: EnrolmentDependencies,
): Promise<EnrolmentGrant> {
  const pending = await dependencies.store.pendingEnrolments.take(body.enrolmentId)
  if (pending === undefined) throw new KeepsealError('enrol.challenge-unknown')
  return audited(dependencies, pending.id, async () => grant(await accept(body, pending, dependencies), dependencies))
}
