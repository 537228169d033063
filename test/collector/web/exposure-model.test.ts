import { expect, test } from 'vitest'
import { exposureByDay, isOpen } from '../../../collector/web/model/exposure.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-01T12:00:00Z')
const at = (days: number): string => new Date(NOW - days * DAY).toISOString()
const one = (severity: string, exposed: number, patched: number | null) => ({
  advisory: 'A',
  severity,
  published: at(exposed),
  exposed: at(exposed),
  patched: patched === null ? null : at(patched),
})

test('an advisory is open from the day on which devices were seen with it until none is', () => {
  const days = exposureByDay([one('critical', 3, 1), one('low', 10, null)], NOW, 5)
  expect(days.map(({ all, severe }) => [all, severe])).toEqual([
    [1, 0],
    [2, 1],
    [2, 1],
    [1, 0],
    [1, 0],
  ])
  expect(days.at(-1)?.at).toBe(NOW)
  expect(exposureByDay([], NOW, 3).map(({ all }) => all)).toEqual([0, 0, 0])
})

test('what is settled or excluded is not open', () => {
  expect(isOpen({ status: 'affected', excludedUntil: null })).toBe(true)
  expect(isOpen({ status: 'unknown', excludedUntil: null })).toBe(true)
  expect(isOpen({ status: 'not-affected', excludedUntil: null })).toBe(false)
  expect(isOpen({ status: 'affected', excludedUntil: at(-1) })).toBe(false)
})
