import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hold, MAX_RANGES } from '../../../collector/ingest/sequence.ts'
import type { Session } from '../../../collector/model/evidence.ts'

const EMPTY: Session = {
  deviceId: 1,
  session: new Uint8Array(16),
  contiguousTo: -1,
  extra: [],
  firstSeenAt: 0,
  firstEpoch: null,
  lastEpoch: null,
}

function held(session: Session, upTo: number): number[] {
  return Array.from({ length: upTo + 1 }, (_, number) => number).filter(
    (number) =>
      number <= session.contiguousTo || session.extra.some(([first, last]) => first <= number && number <= last),
  )
}

describe('what is held of a session', () => {
  it('is the set of the numbers that came, in any order and with any repetition', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 120 }), (arrivals) => {
        const model = new Set<number>()
        let session: Session = EMPTY
        for (const number of arrivals) {
          model.add(number)
          session = hold(session, number) ?? EMPTY
          expect(held(session, 40)).toEqual([...model].sort((a, b) => a - b))
        }
      }),
    )
  })

  it('is written in one way: ranges ascend, with a gap before each', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 60 })), (arrivals) => {
        let session: Session = EMPTY
        for (const number of arrivals) session = hold(session, number) ?? EMPTY
        let end = session.contiguousTo
        for (const [first, last] of session.extra) {
          expect(first).toBeGreaterThan(end + 1)
          expect(last).toBeGreaterThanOrEqual(first)
          end = last
        }
      }),
    )
  })

  it('stays small behind a gap that is never closed', () => {
    let session: Session = EMPTY
    for (let number = 3; number < 10_000; number++) session = hold(session, number) ?? EMPTY
    expect(session).toMatchObject({ contiguousTo: -1, extra: [[3, 9_999]] })
  })

  it('is bounded in its gaps, and what closes one is always taken', () => {
    let session: Session = EMPTY
    for (let range = 1; range <= MAX_RANGES; range++) session = hold(session, range * 2) ?? EMPTY
    expect(session.extra).toHaveLength(MAX_RANGES)
    expect(hold(session, MAX_RANGES * 2 + 2)).toBeUndefined()
    expect(hold(session, 4)).toBe(session)
    expect(hold(session, 3)?.extra).toHaveLength(MAX_RANGES - 1)
    expect(hold(session, 0)).toMatchObject({ contiguousTo: 0 })
  })
})
