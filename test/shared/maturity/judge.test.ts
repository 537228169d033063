import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge } from '../../../shared/maturity/conformity/judge.ts'
import { DAY_MS, durationsOf, idle, shareOf, single, type Sample } from '../../../shared/maturity/conformity/sample.ts'
import { advance, statusOf, type RawStatus, type Waiting } from '../../../shared/maturity/conformity/waiting.ts'
import { share, within } from '../../../shared/maturity/signals/definition.ts'

const TODAY = 1000
const SHARE = { unit: 'share' } as const
const days = (count: number, good: number): Sample[] =>
  Array.from({ length: count }, (_, index) => ({ day: TODAY - 1 - index, ...shareOf(good, 100) }))

describe('an objective', () => {
  it.each([
    ['is met', 100, 27, 100, 'met', 'met'],
    ['is at risk by a short dip', 90, 27, 100, 'at-risk', 'failing-now'],
    ['is broken when the budget is spent and it fails now', 90, 27, 97, 'broken', 'budget-spent'],
    ['is at risk, not broken, once it is repaired', 100, 27, 97, 'at-risk', 'budget-low'],
    ['is broken by the first look at a bad fleet', 90, 0, 100, 'broken', 'budget-spent'],
  ] as const)('%s', (_, now, count, before, state, because) => {
    const judged = judge(SHARE, share(0.98), shareOf(now, 100), TODAY, days(count, before))
    expect(judged).toMatchObject({ state, because })
  })

  it('is not known of too little of a fleet, unless it fails whatever the rest is', () => {
    expect(judge(SHARE, share(0.98), shareOf(94, 94, 100), TODAY, [])).toMatchObject({ state: 'unknown' })
    expect(judge(SHARE, share(0.98), shareOf(90, 93, 100), TODAY, [])).toMatchObject({ state: 'broken' })
    expect(judge(SHARE, share(0.98), shareOf(95, 95, 100), TODAY, [])).toMatchObject({ state: 'met' })
    expect(judge(SHARE, share(0.98), undefined, TODAY, [])).toMatchObject({ state: 'unknown' })
  })

  it('says since when it has failed without a break', () => {
    const history = [...days(3, 90), ...days(9, 100).slice(3)]
    expect(judge(SHARE, share(0.98), shareOf(90, 100), TODAY, history).failingSince).toBe(TODAY - 3)
  })

  it('of a duration warns at three quarters of the target, and is idle without an occasion', () => {
    const is = (value: number) => judge({ unit: 'days' }, within(30, 90), single(value * DAY_MS), TODAY, []).state
    expect([22, 23, 30, 31].map(is)).toEqual(['met', 'at-risk', 'at-risk', 'broken'])
    expect(judge({ unit: 'days' }, within(30, 90), idle, TODAY, []).state).toBe('idle')
  })

  it('is never better with fewer good units, nor met where nothing is known', () => {
    const rank = ['met', 'at-risk', 'unknown', 'broken']
    const counts = fc.record({ known: fc.nat(100), good: fc.nat(100), less: fc.nat(100), target: fc.nat(100) })
    fc.assert(
      fc.property(counts, ({ known, good, less, target }) => {
        const at = (count: number) =>
          judge(SHARE, share(target / 100), shareOf(Math.min(count, known), known, 100), TODAY, []).state
        expect(rank.indexOf(at(Math.max(0, good - less)))).toBeGreaterThanOrEqual(rank.indexOf(at(good)))
        if (known === 0) expect(at(good)).not.toBe('met')
      }),
    )
  })
})

describe('percentiles', () => {
  const durations = fc.array(
    fc.record({ ms: fc.nat(1_000_000), weight: fc.integer({ min: 1, max: 50 }), open: fc.boolean() }),
    { minLength: 1, maxLength: 30 },
  )

  it('are those of the list that is written out', () => {
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 100 }), (all, percentile) => {
        const list = all.flatMap(({ ms, weight }) => Array.from({ length: weight }, () => ms)).sort((a, b) => a - b)
        const expected = list[Math.max(0, Math.ceil((list.length * percentile) / 100) - 1)]
        expect(durationsOf(all, percentile).value).toBe(expected)
      }),
    )
  })

  it('do not fall when what goes on lasts longer', () => {
    fc.assert(
      fc.property(durations, fc.nat(1_000_000), (all, more) => {
        const later = all.map((each) => (each.open ? { ...each, ms: each.ms + more } : each))
        expect(durationsOf(later, 90).value).toBeGreaterThanOrEqual(durationsOf(all, 90).value ?? 0)
      }),
    )
  })
})

describe('a status that waits', () => {
  const LETTERS: Readonly<Record<string, RawStatus>> = { c: 'conforming', r: 'at-risk', d: 'drift', u: 'unknown' }
  const statuses = (text: string, immediate = false) => {
    let waiting: Waiting | null = null
    return [...text].map((letter, at) => {
      waiting = advance(waiting, LETTERS[letter] ?? 'unknown', immediate, at)
      return statusOf(waiting, false)[0]
    })
  }

  it('is taken as it is at the first look', () => {
    for (const letter of 'crdu') expect(statuses(letter)[0]).toBe(LETTERS[letter]?.[0])
  })

  it.each([
    ['cccddd', 'cccccd'],
    ['cdcdcd', 'cccccc'],
    ['crrrddd', 'cccaaad'],
    ['dcccccccc', 'ddddddddc'],
    ['duuuuuuuuuuuu', 'ddddddddddddd'],
    ['ccuuucccccccc', 'ccccuuuuuuuuc'],
  ])('of %s is %s', (raw, expected) => {
    expect(statuses(raw).join('')).toBe(expected)
  })

  it('enters at once what may not wait, and leaves it no sooner', () => {
    expect(statuses('ccdccc', true).join('')).toBe('ccdddd')
  })

  it('never conforms while the last three looks were not known', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'crdu'), maxLength: 60 }), (text) => {
        expect(statuses(`${text}uuu`).at(-1)).not.toBe('c')
      }),
    )
  })
})
