import { describe, expect, it } from 'vitest'
import { objectiveOf } from '../../../shared/maturity/objective.ts'
import { DAY_MS, HOUR_MS } from '../../../shared/maturity/conformity/sample.ts'
import { advisoriesOf, type DatedFact } from '../../../shared/maturity/events/advisories.ts'
import { checkDetail, type RecordedEventKind } from '../../../shared/maturity/events/kinds.ts'
import { measureEvents } from '../../../shared/maturity/events/measure.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'

const NOW = Date.UTC(2026, 10, 26)

/** `[days ago, kind, detail]` */
type Told = readonly [number, RecordedEventKind, object?]

function factsOf(told: readonly Told[]): DatedFact[] {
  return told
    .map(([daysAgo, kind, detail = {}]) => {
      const checked = checkDetail(kind, detail)
      if ('problems' in checked) throw new Error(checked.problems.join())
      return { ...checked.fact, occurredAt: NOW - daysAgo * DAY_MS }
    })
    .sort((a, b) => a.occurredAt - b.occurredAt)
}

function measured(signal: SignalId, told: readonly Told[], cases: { id: string; openedAt: number }[] = []) {
  return measureEvents({ facts: factsOf(told), cases, now: NOW, objective: (each) => objectiveOf(each) }).get(signal)
}

const published = (daysAgo: number, advisory: string, more: object = {}): Told => [
  daysAgo,
  'advisory-published',
  { advisory, severity: 'critical', ...more },
]

describe('signals of recorded events', () => {
  it('are not known, or without occasion, before anything was recorded', () => {
    const all = measureEvents({ facts: [], cases: [], now: NOW, objective: (each) => objectiveOf(each) })
    for (const { value } of all.values()) expect(value).toBeNull()
    expect(all.get('response.drill-age')).toMatchObject({ denominator: 0 })
    expect(all.get('response.drill-age')?.idle).toBeUndefined()
    expect(all.get('response.containment-time')).toMatchObject({ idle: true })
  })

  it('count what is not over yet with the time that it has lasted', () => {
    const told = [
      published(40, 'A'),
      [39, 'fix-released', { advisory: 'A', fixedIn: { release: '2' } }],
      published(30, 'B'),
    ]
    expect(measured('vulnerability.critical-fix-time', told as Told[])).toMatchObject({
      value: 30 * DAY_MS,
      percentiles: { p50: DAY_MS, open: 1 },
    })
  })

  it('keep what goes on beyond the window, and forget what ended before it', () => {
    const open = measured('vulnerability.critical-fix-time', [published(400, 'A')])
    expect(open?.value).toBe(400 * DAY_MS)
    const over = measured('vulnerability.critical-fix-time', [published(400, 'A', { fixedIn: { release: '2' } })])
    expect(over).toMatchObject({ value: null, idle: true })
  })

  it('take an advisory that is exploited for a critical one, from the day on which it was known', () => {
    const told: Told[] = [
      published(20, 'A', { severity: 'medium' }),
      published(5, 'A', { severity: 'medium', exploited: true }),
    ]
    expect(advisoriesOf(factsOf(told))).toEqual([
      { advisory: 'A', severity: 'critical', publishedAt: NOW - 20 * DAY_MS, fixes: [], fixedAt: null },
    ])
    expect(measured('vulnerability.high-fix-time', told)).toMatchObject({ idle: true })
  })

  it('count a fix in whatever order it and its advisory were recorded', () => {
    const fix: Told = [3, 'fix-released', { advisory: 'A', fixedIn: { release: '2' } }]
    const both = [[fix, published(3, 'A')] as const, [published(3, 'A'), fix] as const]
    for (const told of both) {
      const [advisory] = advisoriesOf(told.flatMap((each) => factsOf([each])))
      expect(advisory).toMatchObject({ fixes: [{ release: '2' }], fixedAt: NOW - 3 * DAY_MS })
    }
  })

  it('take the first acknowledgement, of incidents and of cases', () => {
    const told: Told[] = [
      [2, 'incident-detected', { incident: 'I-1', severity: 'high' }],
      [1.5, 'incident-acknowledged', { incident: 'I-1' }],
      [1, 'incident-acknowledged', { incident: 'I-1' }],
      [1, 'case-acknowledged', { case: 'cas_1' }],
    ]
    const signal = measured('response.acknowledge-time', told, [{ id: 'cas_1', openedAt: NOW - 1.25 * DAY_MS }])
    expect(signal).toMatchObject({ value: 12 * HOUR_MS, percentiles: { p50: 6 * HOUR_MS, open: 0 } })
  })

  it('know a restore by the last one that worked', () => {
    const told: Told[] = [
      [100, 'restore-tested', { success: true }],
      [1, 'restore-tested', { success: false }],
    ]
    expect(measured('recovery.restore-test-age', told)?.value).toBe(100 * DAY_MS)
  })

  it('tell what was done in time', () => {
    const due = new Date(NOW - 10 * DAY_MS).toISOString()
    const told: Told[] = [
      [11, 'duty-to-report-met', { duty: 'early-warning', dueAt: due }],
      [9, 'duty-to-report-met', { duty: 'notification', dueAt: due }],
      [9, 'duty-done', { duty: 'review', dueAt: due }],
    ]
    expect(measured('response.reports-on-time', told)).toMatchObject({ good: 1, known: 2, value: 500_000 })
    expect(measured('program.on-time', told)).toMatchObject({ good: 1, known: 3, value: 333_333 })
  })

  it('count acceptances that have run out and were not closed', () => {
    const until = (daysAgo: number) => new Date(NOW - daysAgo * DAY_MS).toISOString()
    const told: Told[] = [
      [90, 'risk-accepted', { risk: 'R-1', until: until(1) }],
      [90, 'risk-accepted', { risk: 'R-2', until: until(1) }],
      [90, 'risk-accepted', { risk: 'R-3', until: until(-1) }],
      [2, 'risk-closed', { risk: 'R-2' }],
    ]
    expect(measured('risk.expired-acceptances', told)?.value).toBe(1)
  })

  it('make nothing younger than now of a clock that was ahead', () => {
    expect(measured('response.drill-age', [[-1, 'drill-held']])?.value).toBe(0)
  })
})
