import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANSWER_PAUSE_MS, answered, askedBefore, dueIn, offered, type Asked } from '../../../agent/attest/asked.ts'
import type { Challenge } from '../../../shared/evidence/challenge.ts'

const challenge = (number: number, expiresAt = 2_000): Challenge => ({
  number,
  nonce: new Uint8Array(32).fill(number % 256),
  expiresAt,
})

describe('what the collector asks for', () => {
  it('is due at once, and no longer once evidence carries it', () => {
    const asked = offered(askedBefore(0), challenge(7), 0)
    expect(dueIn(asked, 5)).toBe(0)
    expect(dueIn(answered(asked, challenge(7), 5), 5)).toBeNull()
  })

  it('is not answered twice, also not after a restart of the agent', () => {
    expect(dueIn(offered(askedBefore(7), challenge(7), 0), 5)).toBeNull()
    expect(dueIn(offered(askedBefore(7), challenge(6), 0), 5)).toBeNull()
  })

  it('is ignored where the collector itself has signed a later time than its end', () => {
    expect(dueIn(offered(askedBefore(0), challenge(7, 1_999), 2_000), 5)).toBeNull()
  })

  it('keeps a newer question that came while the older one was measured for', () => {
    const asked = answered(offered(offered(askedBefore(0), challenge(7), 0), challenge(8), 0), challenge(7), 5)
    expect(dueIn(asked, 5)).toBe(ANSWER_PAUSE_MS)
    expect(asked.waiting?.number).toBe(8)
  })

  it('makes the machine measure no more often than once in the pause, and loses no newest question', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('offer' as const), number: fc.integer({ min: 1, max: 30 }) }),
        fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(40_000) }),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, fc.nat(5), (run, before) => {
        let asked: Asked = askedBefore(before)
        let now = 0
        let highest = before
        const measured: { at: number; number: number }[] = []
        for (const step of run) {
          if (step.kind === 'offer') {
            asked = offered(asked, challenge(step.number), 0)
            highest = Math.max(highest, step.number)
          } else now += step.ms
          const due = dueIn(asked, now)
          if (due !== 0 || asked.waiting === null) continue
          measured.push({ at: now, number: asked.waiting.number })
          asked = answered(asked, asked.waiting, now)
        }
        for (const [index, { at, number }] of measured.entries()) {
          const last = measured[index - 1]
          expect(number).toBeGreaterThan(last?.number ?? before)
          if (last !== undefined) expect(at - last.at).toBeGreaterThanOrEqual(ANSWER_PAUSE_MS)
        }
        expect(Math.max(asked.answered, asked.waiting?.number ?? 0)).toBe(highest)
      }),
    )
  })
})
