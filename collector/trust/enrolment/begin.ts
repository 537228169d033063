import { concat, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { encodeCoseKey } from '../../../shared/cose/key.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { tokenHash } from '../../../shared/evidence/binding.ts'
import type { EnrolmentBegin, EnrolmentChallenge } from '../../../shared/evidence/enrolment.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import type { EnrolmentToken } from '../../model/product.ts'
import { makeId } from '../../store/ids.ts'
import { assertIdevid, deviceToReenrol, identityOf, productOf, type AdmittedIdentity } from './admission.ts'
import { orRefuse, readClaims, type EnrolmentClaims, type EnrolmentRequest, type TpmClaims } from './claims.ts'
import { assertRegistered, usableRegistration } from './registered.ts'
import { audited, RESERVATION_MS, type EnrolmentDependencies } from './dependencies.ts'

const SECRET_SIZE = 32

async function usableToken(text: string, { store, now }: EnrolmentDependencies): Promise<EnrolmentToken> {
  const token = await store.enrolmentTokens.byHash(tokenHash(text, hash))
  if (token === undefined) throw new KeepsealError('enrol.token-unknown')
  if (token.usedAt !== null) throw new KeepsealError('enrol.token-used')
  if (token.expiresAt <= now()) throw new KeepsealError('enrol.token-expired')
  return token
}

/** The same device may begin again, after a restart or a lost answer; nobody else may for ten minutes. */
async function reserve(
  token: EnrolmentToken,
  { tpm, deviceKey }: EnrolmentClaims,
  until: number,
  { store, now }: EnrolmentDependencies,
): Promise<void> {
  const by = sha256(concat(tpm?.ekName ?? new Uint8Array(0), deviceKey.thumbprint))
  const reservation = await store.enrolmentTokens.reserve(token.id, by, until, now())
  if (reservation === 'used') throw new KeepsealError('enrol.token-used')
  if (reservation === 'expired') throw new KeepsealError('enrol.token-expired')
  if (reservation !== 'ok') throw new KeepsealError('enrol.token-reserved')
}

function credentialFor({ ek, akName }: TpmClaims, { random }: EnrolmentDependencies) {
  const secret = random(SECRET_SIZE)
  const credential = orRefuse('enrol.ek-untrusted', 'tpm.ekPublic', () =>
    makeCredential({ ek, akName, secret, primitives: credentialPrimitives, random }),
  )
  return { secretHash: sha256(secret), credential }
}

function describe(admitted: AdmittedIdentity): Record<string, unknown> {
  if (admitted.identity === 'software') return {}
  if (admitted.identity === 'tpm-tofu') return { reason: admitted.reason }
  return { tpm: admitted.endorsement.tpm, root: admitted.endorsement.rootFingerprint }
}

async function challenge(
  request: EnrolmentRequest,
  token: EnrolmentToken,
  dependencies: EnrolmentDependencies,
): Promise<EnrolmentChallenge> {
  const { store, keys, authorities, random } = dependencies
  const now = dependencies.now()
  const claims = readClaims(request)
  assertIdevid(claims, now)
  if (token.registration !== null) assertRegistered(token, token.registration, claims)
  const product = await productOf(token, claims.product, store)
  const admitted = identityOf(claims, product, authorities, now)
  await deviceToReenrol(claims, token, store)
  const made = claims.tpm === null ? null : credentialFor(claims.tpm, dependencies)
  // A registered key is no secret: whoever knows it could keep its device from enrolling, by reserving it.
  if (token.registration === null) await reserve(token, claims, now + RESERVATION_MS, dependencies)

  const pending = {
    id: makeId('enr', now, random),
    tokenId: token.id,
    challenge: random(32),
    secretHash: made?.secretHash ?? null,
    request: JSON.stringify(request),
    identity: admitted.identity,
    expiresAt: now + RESERVATION_MS,
  }
  await store.pendingEnrolments.deleteExpired(now)
  await store.pendingEnrolments.insert(pending)
  await store.auditLog.append({
    at: now,
    actor: 'collector',
    action: 'enrolment.begin',
    subject: pending.id,
    detail: {
      tokenId: token.id,
      productId: product.id,
      registration: token.registration?.kind ?? null,
      serial: claims.product.serial,
      identity: admitted.identity,
      deviceKey: toHex(claims.deviceKey.thumbprint),
      ...describe(admitted),
    },
  })
  return {
    enrolmentId: pending.id,
    challenge: toBase64Url(pending.challenge),
    collectorKey: toBase64Url(encodeCoseKey(keys.publicKey)),
    collectorId: toBase64Url(keys.collectorId),
    ...(keys.succession === null ? {} : { succession: keys.succession.newest.number }),
    credential:
      made === null
        ? null
        : {
            credentialBlob: toBase64Url(made.credential.credentialBlob),
            encryptedSecret: toBase64Url(made.credential.encryptedSecret),
          },
  }
}

/**
 * The first call. On success the token is reserved for ten minutes and nothing else has happened.
 * Throws KeepsealError `request.invalid` or `enrol.*`.
 */
export async function beginEnrolment(
  body: EnrolmentBegin,
  dependencies: EnrolmentDependencies,
): Promise<EnrolmentChallenge> {
  const { token: text, ...request } = body
  const token = await (text === null ? usableRegistration(request, dependencies) : usableToken(text, dependencies))
  return audited(dependencies, token.id, () => challenge(request, token, dependencies))
}
