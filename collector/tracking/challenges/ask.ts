import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Ueid } from '../../../shared/evidence/identifiers.ts'
import type { AttestationChallenge } from '../../model/attestation-challenge.ts'
import type { Device } from '../../model/device.ts'
import type { Appraisal } from '../../appraisal/appraise.ts'
import { makeId } from '../../store/ids.ts'
import type { Store } from '../../store/index.ts'
import { askableFrom, numberAfter, withAnswer } from './challenge.ts'

export interface Question {
  readonly ueid: Ueid
  readonly actor: string
  readonly now: number
  readonly validMs: number
  readonly random: RandomFunction
}

/**
 * Asks a device for evidence at once. It is sent by whoever has the way to the devices, see ingest/challenge-courier.
 * Errors: request.not-found, request.conflict for a device that was revoked, challenge.too-soon.
 */
export function askDevice(store: Store, question: Question): Promise<AttestationChallenge> {
  const { ueid, actor, now, validMs, random } = question
  return store.transactionOf([ueid], async (own) => {
    const device = await own.devices.byUeid(ueid)
    if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
    if (device.enrolment === 'revoked') throw new KeepsealError('request.conflict', `device ${ueid} was revoked`)
    const newest = await own.attestationChallenges.newest(device.id)
    const from = askableFrom(newest)
    // A clock that was set back must not close it for longer than the pause.
    if (newest !== undefined && now >= newest.askedAt && now < from) {
      throw new KeepsealError('challenge.too-soon', `again in ${Math.ceil((from - now) / 1000)} s`)
    }
    const asked = {
      id: makeId('chl', now, random),
      deviceId: device.id,
      number: numberAfter(newest, now),
      nonce: random(32),
      askedBy: actor,
      askedAt: now,
      expiresAt: now + validMs,
    }
    await own.attestationChallenges.insert(asked)
    const detail = { challenge: asked.id, expiresAt: asked.expiresAt }
    await own.auditLog.append({ at: now, actor, action: 'device.attest', subject: ueid, detail })
    return { ...asked, supersededAt: null, tries: 0, sentAt: null, answer: null }
  })
}

/** An evidence of the device that carries the nonce of a challenge, within the transaction that has taken it. */
export async function noteAnswer(
  store: Pick<Store, 'attestationChallenges'>,
  device: Device,
  { evidence, hashOfMessage, freshness, verdict, code }: Appraisal,
  at: number,
): Promise<void> {
  const nonce = evidence.claims.challenge
  if (nonce === null) return
  // One that is not known was forgotten in a restore, or is the device's invention: it is evidence all the same.
  const challenge = await store.attestationChallenges.byNonce(device.id, nonce)
  if (challenge === undefined) return
  const answer = { at, evidenceHash: hashOfMessage, fresh: freshness === 'fresh', verdict, code }
  const next = withAnswer(challenge, answer)
  if (next !== challenge && next.answer !== null) await store.attestationChallenges.saveAnswer(next.id, next.answer)
}
