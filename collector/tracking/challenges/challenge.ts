import { equal } from '../../../shared/bytes/bytes.ts'
import type { AttestationChallenge, ChallengeAnswer, ChallengeStatus } from '../../model/attestation-challenge.ts'

/** The life of a challenge: no clock, no store. All times in ms. */

/** A device is asked no more often: each time its TPM works, and it sends. */
export const ASK_PAUSE_MS = 60_000
/** Between two sendings of one challenge; the agent takes its time to measure. */
export const RESEND_PAUSE_MS = 20_000
/** An agent that does not know these messages would be sent them until the end. */
export const MAX_TRIES = 10

export function statusOf(
  { answer, supersededAt, expiresAt }: Pick<AttestationChallenge, 'answer' | 'supersededAt' | 'expiresAt'>,
  now: number,
): ChallengeStatus {
  if (answer !== null) return 'answered'
  if (supersededAt !== null) return 'superseded'
  return now > expiresAt ? 'expired' : 'waiting'
}

/** From when on a device can be asked again: it is not for one who asks to know who asked before. */
export const askableFrom = (newest: Pick<AttestationChallenge, 'askedAt'> | undefined): number =>
  newest === undefined ? 0 : newest.askedAt + ASK_PAUSE_MS

/** By the clock, so that after a restore it goes on above what devices have answered; never less than one before. */
export const numberAfter = (newest: Pick<AttestationChallenge, 'number'> | undefined, now: number): number =>
  Math.max((newest?.number ?? 0) + 1, now)

/**
 * Whether to send it: at once, and again when the device was heard of and has not answered. One that is silent has no
 * connection, and would not get it. `heard`: evidence of it has come since the last look.
 */
export function isDue(challenge: AttestationChallenge, heard: boolean, now: number): boolean {
  if (statusOf(challenge, now) !== 'waiting' || challenge.tries >= MAX_TRIES) return false
  return challenge.sentAt === null || (heard && now - challenge.sentAt >= RESEND_PAUSE_MS)
}

/**
 * With an evidence that carries its nonce. The first one is the answer, and stays it; what is concluded from that one
 * can change when more of its content arrives. Later than the end it answers nothing.
 */
export function withAnswer(challenge: AttestationChallenge, answer: ChallengeAnswer): AttestationChallenge {
  const { answer: first, expiresAt } = challenge
  if (first === null) return answer.at > expiresAt ? challenge : { ...challenge, answer }
  if (!equal(first.evidenceHash, answer.evidenceHash)) return challenge
  const { verdict, code } = answer
  return first.verdict === verdict && first.code === code
    ? challenge
    : { ...challenge, answer: { ...first, verdict, code } }
}
