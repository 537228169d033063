import {
  DAY_MS,
  durationsOf,
  idle,
  shareOf,
  single,
  unmeasured,
  type Duration,
  type Measurement,
} from '../conformity/sample.ts'
import type { Objective } from '../signals/definition.ts'
import type { SignalId } from '../signals.ts'
import { advisoriesOf, type Advisory, type DatedFact } from './advisories.ts'
import type { AdvisorySeverity, RecordedEventKind } from './kinds.ts'

export interface EventMeasures {
  /** What counts for the product, by when it happened. */
  readonly facts: readonly DatedFact[]
  /** Reassessment cases of the product: their id, and when they were opened. */
  readonly cases: readonly { readonly id: string; readonly openedAt: number }[]
  readonly now: number
  readonly objective: (signal: SignalId) => Objective
}

/** From when to when something lasted; null: it goes on. */
interface Span {
  readonly from: number
  readonly to: number | null
}

/** Signals that are measured from recorded events alone. */
export function measureEvents(measures: EventMeasures): ReadonlyMap<SignalId, Measurement> {
  const { facts, cases, now, objective } = measures
  const advisories = advisoriesOf(facts)
  const spans = (signal: SignalId, all: readonly Span[]): readonly [SignalId, Measurement] => [
    signal,
    durationsOf(durations(all, now, objective(signal)), objective(signal).percentile ?? 100),
  ]
  const age = (signal: SignalId, ...kinds: RecordedEventKind[]): readonly [SignalId, Measurement] => [
    signal,
    ageOf(
      facts.filter(({ kind }) => kinds.includes(kind)),
      now,
    ),
  ]
  const fixed = advisories.filter(({ fixedAt }) => fixedAt !== null)
  const afterFix = (kind: 'own-advisory-published' | 'customers-notified'): Span[] =>
    fixed.map(({ advisory, fixedAt }) => ({ from: fixedAt ?? 0, to: firstOf(facts, kind, advisory) }))
  const incidents = facts.flatMap(({ kind, detail, occurredAt }) =>
    kind === 'incident-detected' ? [{ incident: detail.incident, from: occurredAt }] : [],
  )
  const caseSpans = cases.map(({ id, openedAt }) => ({ from: openedAt, to: firstOf(facts, 'case-acknowledged', id) }))
  return new Map([
    age('vulnerability.matching-age', 'components-matched'),
    spans('vulnerability.critical-fix-time', fixSpans(advisories, 'critical')),
    spans('vulnerability.high-fix-time', fixSpans(advisories, 'high')),
    age('awareness.feed-age', 'advisory-feed-read', 'components-matched'),
    spans(
      'awareness.triage-time',
      advisories.map((each) => ({ from: each.publishedAt, to: firstOf(facts, 'advisory-triaged', each.advisory) })),
    ),
    spans('awareness.own-advisory-time', afterFix('own-advisory-published')),
    spans('awareness.notification-time', afterFix('customers-notified')),
    spans('response.acknowledge-time', [
      ...incidents.map(({ incident, from }) => ({ from, to: firstOf(facts, 'incident-acknowledged', incident) })),
      ...caseSpans,
    ]),
    spans(
      'response.containment-time',
      incidents.map(({ incident, from }) => ({ from, to: firstOf(facts, 'incident-contained', incident) })),
    ),
    age('response.drill-age', 'drill-held'),
    ['response.reports-on-time', onTime(facts, ['duty-to-report-met'], now, objective('response.reports-on-time'))],
    [
      'recovery.restore-test-age',
      ageOf(
        facts.filter((fact) => fact.kind === 'restore-tested' && fact.detail.success),
        now,
      ),
    ],
    ...recoveries(facts, now, objective),
    ['program.on-time', onTime(facts, ['duty-done', 'duty-to-report-met'], now, objective('program.on-time'))],
    ['risk.expired-acceptances', expiredAcceptances(facts, now)],
  ])
}

const fixSpans = (advisories: readonly Advisory[], severity: AdvisorySeverity): Span[] =>
  advisories
    .filter((each) => each.severity === severity)
    .map(({ publishedAt, fixedAt }) => ({ from: publishedAt, to: fixedAt }))

/** The first one that tells of this thing: a second acknowledgement makes nothing earlier. */
function firstOf(facts: readonly DatedFact[], kind: RecordedEventKind, name: string): number | null {
  const found = facts.find((fact) => fact.kind === kind && Object.values(fact.detail).includes(name))
  return found?.occurredAt ?? null
}

/** Those that began within the window, and all that go on. What ended before it began took no time. */
function durations(spans: readonly Span[], now: number, { windowDays }: Objective): readonly Duration[] {
  return spans
    .filter(({ from, to }) => from <= now && (to === null || from > now - windowDays * DAY_MS))
    .map(({ from, to }) => ({ ms: Math.max(0, (to ?? now) - from), weight: 1, open: to === null }))
}

/** Never is not long ago: it is not known. A future that a clock has made up is now. */
function ageOf(facts: readonly DatedFact[], now: number): Measurement {
  const newest = facts.reduce<number | null>(
    (latest, { occurredAt }) => Math.max(latest ?? occurredAt, occurredAt),
    null,
  )
  return newest === null ? unmeasured : single(Math.max(0, now - newest))
}

function onTime(
  facts: readonly DatedFact[],
  kinds: readonly RecordedEventKind[],
  now: number,
  { windowDays }: Objective,
): Measurement {
  const done = facts.flatMap((fact) =>
    kinds.includes(fact.kind) && 'dueAt' in fact.detail && fact.occurredAt > now - windowDays * DAY_MS
      ? [fact.occurredAt <= Date.parse(fact.detail.dueAt)]
      : [],
  )
  return done.length === 0 ? idle : shareOf(done.filter(Boolean).length, done.length)
}

function recoveries(
  facts: readonly DatedFact[],
  now: number,
  objective: EventMeasures['objective'],
): readonly (readonly [SignalId, Measurement])[] {
  const within = (signal: SignalId) =>
    facts.flatMap(({ kind, detail, occurredAt }) =>
      kind === 'unit-recovered' && occurredAt > now - objective(signal).windowDays * DAY_MS ? [detail] : [],
    )
  const times = within('recovery.recovery-time').map(({ minutes }) => ({
    ms: minutes * 60_000,
    weight: 1,
    open: false,
  }))
  const visits = within('recovery.without-visit')
  return [
    ['recovery.recovery-time', durationsOf(times, objective('recovery.recovery-time').percentile ?? 100)],
    [
      'recovery.without-visit',
      visits.length === 0 ? idle : shareOf(visits.filter(({ visit }) => !visit).length, visits.length),
    ],
  ]
}

/** Nobody who has recorded no acceptance is known to have none. */
function expiredAcceptances(facts: readonly DatedFact[], now: number): Measurement {
  const until = new Map<string, number>()
  let isKnown = false
  for (const { kind, detail } of facts) {
    if (kind === 'risk-accepted') until.set(detail.risk, Date.parse(detail.until))
    if (kind === 'risk-closed') until.delete(detail.risk)
    isKnown ||= kind === 'risk-accepted' || kind === 'risk-closed'
  }
  return isKnown ? single([...until.values()].filter((end) => end <= now).length) : idle
}
