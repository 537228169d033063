import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttestationChallenge, ChallengeAnswer } from '../../../../collector/model/attestation-challenge.ts'
import {
  askableFrom,
  ASK_PAUSE_MS,
  isDue,
  MAX_TRIES,
  numberAfter,
  RESEND_PAUSE_MS,
  statusOf,
  withAnswer,
} from '../../../../collector/tracking/challenges/challenge.ts'

const AT = 1_000_000

const challenge = (over: Partial<AttestationChallenge> = {}): AttestationChallenge => ({
  id: 'chl_1',
  deviceId: 1,
  number: 1,
  nonce: new Uint8Array(32),
  askedBy: 'acc_1',
  askedAt: AT,
  expiresAt: AT + 3_600_000,
  supersededAt: null,
  tries: 0,
  sentAt: null,
  answer: null,
  ...over,
})

const answer = (over: Partial<ChallengeAnswer> = {}): ChallengeAnswer => ({
  at: AT + 2_000,
  evidenceHash: new Uint8Array(32).fill(1),
  fresh: true,
  verdict: 'affirming',
  code: null,
  ...over,
})

describe('a challenge', () => {
  it('waits, until it is answered, superseded or over', () => {
    expect(statusOf(challenge(), AT)).toBe('waiting')
    expect(statusOf(challenge(), AT + 3_600_000)).toBe('waiting')
    expect(statusOf(challenge(), AT + 3_600_001)).toBe('expired')
    expect(statusOf(challenge({ supersededAt: AT }), AT)).toBe('superseded')
    expect(statusOf(challenge({ supersededAt: AT, answer: answer() }), AT + 9_000_000)).toBe('answered')
  })

  it('is sent at once, again only to a device that was heard of, and not for ever', () => {
    expect(isDue(challenge(), false, AT)).toBe(true)
    const sent = challenge({ tries: 1, sentAt: AT })
    expect(isDue(sent, false, AT + 600_000)).toBe(false)
    expect(isDue(sent, true, AT + RESEND_PAUSE_MS - 1)).toBe(false)
    expect(isDue(sent, true, AT + RESEND_PAUSE_MS)).toBe(true)
    expect(isDue({ ...sent, tries: MAX_TRIES }, true, AT + 600_000)).toBe(false)
    expect(isDue({ ...sent, answer: answer() }, true, AT + 600_000)).toBe(false)
    expect(isDue(sent, true, AT + 3_600_001)).toBe(false)
  })

  it('takes what more content makes of its answer, and nothing of another evidence', () => {
    const first = withAnswer(challenge(), answer({ verdict: 'not-appraised', code: 'content.missing' }))
    expect(withAnswer(first, answer()).answer).toEqual(answer())
    expect(withAnswer(first, answer({ evidenceHash: new Uint8Array(32).fill(2) }))).toBe(first)
  })

  it('has a number above all before it, whatever the clock does', () => {
    expect(numberAfter(undefined, AT)).toBe(AT)
    expect(numberAfter({ number: AT + 5 }, AT)).toBe(AT + 6)
    expect(askableFrom({ askedAt: AT })).toBe(AT + ASK_PAUSE_MS)
  })

  it('keeps its first timely answer through everything, and an expired one is never answered', () => {
    const offer = fc.record({
      at: fc.integer({ min: AT, max: AT + 7_200_000 }),
      evidence: fc.nat(4),
      verdict: fc.constantFrom('affirming' as const, 'warning' as const, 'not-appraised' as const),
    })
    fc.assert(
      fc.property(fc.array(offer, { maxLength: 20 }), (offers) => {
        let state = challenge()
        for (const { at, evidence, verdict } of offers) {
          const before = state
          state = withAnswer(state, answer({ at, verdict, evidenceHash: new Uint8Array(32).fill(evidence) }))
          if (before.answer !== null) {
            expect(state.answer?.evidenceHash).toEqual(before.answer.evidenceHash)
            expect(state.answer?.at).toBe(before.answer.at)
          }
        }
        const timely = offers.find(({ at }) => at <= AT + 3_600_000)
        expect(state.answer?.at).toBe(timely?.at)
        expect(statusOf(state, AT + 9_000_000)).toBe(timely === undefined ? 'expired' : 'answered')
      }),
    )
  })
})
