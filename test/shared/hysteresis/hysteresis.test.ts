import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  evaluate,
  isAtRest,
  isHysteresis,
  MAX_EVALUATIONS,
  neededToLeave,
  notEvaluated,
  type Evaluation,
  type Hysteresis,
  type HysteresisState,
} from '../../../shared/hysteresis/hysteresis.ts'

const twoOfThree: Hysteresis = { count: 2, of: 3 }

/** Evaluates one after another, a minute apart. `b` bad, `g` good, `?` unknown. */
function states(hysteresis: Hysteresis, text: string, from: HysteresisState = notEvaluated): HysteresisState[] {
  const all: HysteresisState[] = []
  for (const [index, each] of [...text].entries()) {
    const evaluation: Evaluation = each === 'b' ? 'bad' : each === 'g' ? 'good' : 'unknown'
    all.push(evaluate(hysteresis, all.at(-1) ?? from, evaluation, index * 60_000))
  }
  return all
}

const entered = (hysteresis: Hysteresis, text: string): string =>
  states(hysteresis, text)
    .map(({ isEntered }) => (isEntered ? 'X' : '.'))
    .join('')

describe('N of M', () => {
  test('is entered with the N-th bad one among the last M, and not before', () => {
    expect(entered(twoOfThree, 'bggbgb')).toBe('.....X')
    expect(entered(twoOfThree, 'bb')).toBe('.X')
    expect(entered({ count: 1, of: 1 }, 'b')).toBe('X')
  })

  test('is left after twice M good ones in a row; one bad one begins them anew', () => {
    expect(entered(twoOfThree, 'bbggggggg')).toBe('.XXXXXX..')
    expect(entered(twoOfThree, 'bbgggggbggggggg')).toBe('.XXXXXXXXXXXX..')
  })

  test('what could not be measured neither enters nor leaves', () => {
    expect(entered(twoOfThree, 'b??b')).toBe('...X')
    expect(entered(twoOfThree, 'bb?ggg?ggg?')).toBe('.XXXXXXXX..')
    expect(states(twoOfThree, '???').at(-1)).toEqual(notEvaluated)
  })

  test('a burst of evaluations is one, and a bad one in it counts', () => {
    const hysteresis = { count: 2, of: 3, spacingMs: 60_000 }
    let state = notEvaluated
    for (let at = 0; at < 60_000; at += 1_000) state = evaluate(hysteresis, state, 'bad', at)
    expect(state).toMatchObject({ isEntered: false, recent: 'b' })
    state = evaluate(hysteresis, state, 'good', 60_000)
    expect(state).toMatchObject({ isEntered: false, recent: 'bg', good: 1 })
    state = evaluate(hysteresis, state, 'bad', 60_001)
    expect(state).toMatchObject({ isEntered: true, recent: 'bb', good: 0 })
  })

  test('a clock that is set back does not stop the evaluations', () => {
    const hysteresis = { count: 2, of: 3, spacingMs: 60_000 }
    const first = evaluate(hysteresis, notEvaluated, 'bad', 86_400_000)
    expect(evaluate(hysteresis, first, 'bad', 0).isEntered).toBe(true)
  })

  test('what is no N of M is refused', () => {
    for (const [count, of, spacingMs] of [
      [0, 1, 0],
      [2, 1, 0],
      [1, MAX_EVALUATIONS + 1, 0],
      [1.5, 2, 0],
      [1, 2, -1],
    ] as const) {
      expect(isHysteresis({ count, of, spacingMs })).toBe(false)
      expect(() => evaluate({ count, of, spacingMs }, notEvaluated, 'bad', 0)).toThrow(RangeError)
    }
  })

  const hystereses = fc
    .record({ of: fc.integer({ min: 1, max: 8 }), part: fc.double({ min: 0, max: 0.999, noNaN: true }) })
    .map(({ of, part }): Hysteresis => ({ of, count: 1 + Math.floor(part * of) }))
  const texts = fc.array(fc.constantFrom('b', 'g', '?'), { maxLength: 120 }).map((each) => each.join(''))

  test('says what a look at the whole history says', () => {
    fc.assert(
      fc.property(hystereses, texts, (hysteresis, text) => {
        let isIn = false
        let known = ''
        let since = 0
        const expected = [...text].map((each) => {
          if (each === '?') return isIn
          known += each
          if (isIn && known.slice(since).endsWith('g'.repeat(neededToLeave(hysteresis)))) isIn = false
          else if (!isIn && (known.slice(-hysteresis.of).match(/b/gu) ?? []).length >= hysteresis.count) {
            isIn = true
            since = known.length
          }
          return isIn
        })
        expect(states(hysteresis, text).map(({ isEntered }) => isEntered)).toEqual(expected)
      }),
    )
  })

  test('flaps no more often than its two waits allow', () => {
    fc.assert(
      fc.property(hystereses, texts, (hysteresis, text) => {
        const changes = [...`.${entered(hysteresis, text)}`].filter(
          (each, index, all) => each !== (all[index - 1] ?? '.'),
        )
        const round = hysteresis.count + neededToLeave(hysteresis)
        expect(changes.length).toBeLessThanOrEqual(2 * Math.ceil(text.length / round))
      }),
    )
  })

  test('keeps no more than it needs, and can be forgotten at rest', () => {
    fc.assert(
      fc.property(hystereses, texts, texts, (hysteresis, before, after) => {
        const state = states(hysteresis, before).at(-1) ?? notEvaluated
        expect(state.recent.length).toBeLessThanOrEqual(hysteresis.of)
        expect(state.good).toBeLessThanOrEqual(neededToLeave(hysteresis))
        if (!isAtRest(state)) return
        const followed = (from: HysteresisState) => states(hysteresis, after, from).map(({ isEntered }) => isEntered)
        expect(followed(state)).toEqual(followed(notEvaluated))
      }),
    )
  })

  test('follows another N of M from where it stands', () => {
    const state = states({ count: 3, of: 5 }, 'bgbg').at(-1) ?? notEvaluated
    expect(evaluate({ count: 2, of: 4 }, state, 'bad', 600_000).isEntered).toBe(true)
    expect(evaluate({ count: 2, of: 2 }, state, 'bad', 600_000)).toMatchObject({ isEntered: false, recent: 'gb' })
  })
})
