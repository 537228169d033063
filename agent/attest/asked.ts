import type { Challenge } from '../../shared/evidence/challenge.ts'

/** At most one measurement in this time is made because the collector asks; it asks less often itself. */
export const ANSWER_PAUSE_MS = 15_000

/** What the collector has asked of this device for at once. Times in milliseconds of a clock that never jumps. */
export interface Asked {
  /** Number of the newest challenge that was answered; 0 before the first. */
  readonly answered: number
  /** When that was, in this run. */
  readonly answeredAt: number | null
  readonly waiting: Challenge | null
}

export const askedBefore = (answered: number): Asked => ({ answered, answeredAt: null, waiting: null })

/**
 * Takes a challenge that was verified. What was answered is never answered again, and of several that wait the newest
 * is. `signedTime`: seconds since 1970 that have passed for certain, since the collector has signed them; 0 for none.
 */
export function offered(asked: Asked, challenge: Challenge, signedTime: number): Asked {
  const isNew = challenge.number > Math.max(asked.answered, asked.waiting?.number ?? 0)
  return isNew && challenge.expiresAt >= signedTime ? { ...asked, waiting: challenge } : asked
}

/** In how many milliseconds a measurement has to be made for it; null where nothing waits. */
export function dueIn({ waiting, answeredAt }: Asked, now: number): number | null {
  if (waiting === null) return null
  return answeredAt === null ? 0 : Math.max(0, answeredAt + ANSWER_PAUSE_MS - now)
}

/** An evidence that carries its nonce will not be lost any more. A newer one that has come meanwhile still waits. */
export function answered(asked: Asked, { number }: Challenge, now: number): Asked {
  const isOver = asked.waiting !== null && asked.waiting.number <= number
  return {
    answered: Math.max(asked.answered, number),
    answeredAt: now,
    waiting: isOver ? null : asked.waiting,
  }
}
