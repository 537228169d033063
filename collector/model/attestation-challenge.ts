import type { Verdict } from './device.ts'

/** Evidence that somebody has asked one device for at once. Times in ms since 1970. */
export interface AttestationChallenge {
  readonly id: string
  readonly deviceId: number
  /** Greater than that of every challenge of this device before. */
  readonly number: number
  /** 32 random bytes, which the answer carries. */
  readonly nonce: Uint8Array
  readonly askedBy: string
  readonly askedAt: number
  readonly expiresAt: number
  /** When somebody asked again, which took the place of this. */
  readonly supersededAt: number | null
  /** How often it was sent, and when last. */
  readonly tries: number
  readonly sentAt: number | null
  readonly answer: ChallengeAnswer | null
}

/** The first evidence with its nonce, and what was concluded from that one. */
export interface ChallengeAnswer {
  readonly at: number
  /** SHA-256 of the message. */
  readonly evidenceHash: Uint8Array
  /** By the epoch that it answers besides. */
  readonly fresh: boolean
  readonly verdict: Verdict
  readonly code: string | null
}

export const CHALLENGE_STATUSES = ['waiting', 'answered', 'superseded', 'expired'] as const
export type ChallengeStatus = (typeof CHALLENGE_STATUSES)[number]
