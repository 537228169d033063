import * as v from 'valibot'
import {
  PRACTICE_STATUSES,
  REASON_CODES,
  worstStatus,
  type Reason,
} from '../../../shared/maturity/conformity/status.ts'
import type { ConditionState, Unpatched } from '../../../shared/maturity/conformity/conditions.ts'
import { targetText, valueText } from '../../../shared/maturity/conformity/reasons.ts'
import type { Sample } from '../../../shared/maturity/conformity/sample.ts'
import { DAY_MS, fromStored } from '../../../shared/maturity/conformity/sample.ts'
import { objectiveOf } from '../../../shared/maturity/objective.ts'
import { PRACTICE_IDS, PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import { SIGNAL_IDS, SIGNALS, type SignalId } from '../../../shared/maturity/signals.ts'
import { SIGNAL_SOURCES, SIGNAL_UNITS } from '../../../shared/maturity/signals/definition.ts'
import type { PracticeState } from '../../model/practice.ts'
import { Time, toTime, toTimeOrNull } from '../schemas.ts'

export const Practices = v.picklist(PRACTICE_IDS)
export const Signals = v.picklist(SIGNAL_IDS)
export const Conformity = v.picklist(PRACTICE_STATUSES)

export const ReasonJson = v.strictObject({
  code: v.picklist(REASON_CODES),
  signal: v.optional(Signals),
  document: v.optional(v.string()),
  /** Id of a limitation or assumption of the profile. */
  condition: v.optional(v.string()),
  level: v.optional(v.number()),
  text: v.string(),
  restore: v.string(),
  /** A day. */
  since: v.optional(v.string()),
  units: v.optional(v.strictObject({ count: v.number(), first: v.array(v.string()) })),
})

export const practiceFields = {
  practice: Practices,
  name: v.string(),
  domain: v.string(),
  /** null: no profile in force asks for it. Then it counts for nothing. */
  target: v.nullable(v.number()),
  /** Whether it counts for the certificate, by its priority in the profile. */
  counts: v.boolean(),
  supported: v.number(),
  conformity: Conformity,
  /** null before the first evaluation. */
  since: v.nullable(Time),
  /** Of the signal about units that knows least of them. */
  coverage: v.nullable(v.strictObject({ known: v.number(), denominator: v.number() })),
  confirmed: v.nullable(v.strictObject({ by: v.string(), at: Time, reason: v.string() })),
  reasons: v.array(ReasonJson),
}

export function practiceJson(practice: PracticeId, state: PracticeState | undefined) {
  const { name, domain } = PRACTICES[practice]
  const restore = 'Wait for the first evaluation.'
  const none: Reason = { code: 'signal-unknown', text: 'not evaluated yet', restore }
  const {
    target,
    counts = true,
    supported,
    coverage,
    reasons,
  } = state?.explanation ?? {
    target: null,
    supported: 0,
    coverage: null,
    reasons: [none],
  }
  const confirmed = state?.confirmed ?? null
  return {
    practice,
    name,
    domain,
    target,
    counts: target !== null && counts,
    supported,
    conformity: state?.status ?? ('unknown' as const),
    since: toTimeOrNull(state?.since ?? null),
    coverage,
    confirmed: confirmed === null ? null : { by: confirmed.byName, at: toTime(confirmed.at), reason: confirmed.reason },
    reasons: reasonsJson(reasons),
  }
}

/** As the schema has it, whose lists can be changed. */
export const reasonsJson = (reasons: readonly Reason[]) =>
  structuredClone(reasons) as unknown as v.InferOutput<typeof ReasonJson>[]

/** Of a product: the worst of the practices that its profiles ask for, and that count by their priority. */
export const conformityOfProduct = (states: ReadonlyMap<PracticeId, PracticeState>) =>
  worstStatus(
    [...states.values()]
      .filter(({ explanation: { target, counts = true } }) => target !== null && counts)
      .map(({ status }) => status),
  )

export const SampleJson = v.strictObject({
  /** The day, RFC 3339. */
  day: v.string(),
  /** In the signal's unit; null: not known. */
  value: v.nullable(v.number()),
  good: v.number(),
  known: v.number(),
  denominator: v.number(),
  /** There was nothing to measure it from. */
  idle: v.boolean(),
  /** Units that a limitation leaves without fixes, once for each advisory: in no figure beside it. */
  apart: v.number(),
  percentiles: v.nullable(v.strictObject({ p50: v.number(), p90: v.number(), p95: v.number(), open: v.number() })),
})

export function sampleJson(signal: SignalId, sample: Sample): v.InferOutput<typeof SampleJson> {
  const { unit } = SIGNALS[signal]
  const { percentiles } = sample
  return {
    day: new Date(sample.day * DAY_MS).toISOString().slice(0, 10),
    value: sample.value === null ? null : fromStored(unit, sample.value),
    good: sample.good,
    known: sample.known,
    denominator: sample.denominator,
    idle: sample.idle ?? false,
    apart: sample.apart ?? 0,
    percentiles:
      percentiles === undefined
        ? null
        : {
            p50: fromStored(unit, percentiles.p50),
            p90: fromStored(unit, percentiles.p90),
            p95: fromStored(unit, percentiles.p95),
            open: percentiles.open,
          },
  }
}

export const signalFields = {
  signal: Signals,
  title: v.string(),
  unit: v.picklist(SIGNAL_UNITS),
  source: v.picklist(SIGNAL_SOURCES),
  /** By default, as text: a profile may want another. */
  objective: v.string(),
  practices: v.array(Practices),
  /** For people: `97.2 %`, or why there is none. */
  shown: v.string(),
  newest: v.nullable(SampleJson),
}

export function signalJson(signal: SignalId, newest: Sample | undefined) {
  const definition = SIGNALS[signal]
  return {
    signal,
    title: definition.title,
    unit: definition.unit,
    source: definition.source,
    objective: targetText(definition, objectiveOf(signal)),
    practices: Object.keys(definition.practices) as PracticeId[],
    shown: shownOf(signal, newest),
    newest: newest === undefined ? null : sampleJson(signal, newest),
  }
}

function shownOf(signal: SignalId, newest: Sample | undefined): string {
  const apart = newest?.apart ?? 0
  const value = figureOf(signal, newest)
  return apart === 0 ? value : `${value}; apart by a limitation: ${apart}`
}

function figureOf(signal: SignalId, newest: Sample | undefined): string {
  if (newest?.idle === true) return 'no occasion'
  if (newest === undefined || newest.value === null) return 'not known'
  return valueText(SIGNALS[signal], newest.value)
}

export const ConditionJson = v.strictObject({
  kind: v.picklist(['limitation', 'assumption']),
  id: v.string(),
  title: v.string(),
  profile: v.strictObject({ id: v.string(), version: v.number() }),
  practices: v.array(Practices),
  /** What makes up for a limitation; null: nothing does, or it is an assumption. */
  measure: v.nullable(v.string()),
  /** What it was looked at by; null: nothing could notice. */
  check: v.nullable(v.string()),
  state: v.picklist(['covered', 'uncovered', 'uncompensated', 'holds', 'broken', 'unmonitored', 'unknown']),
  /** Of a limitation that leaves devices without fixes: how many there are, and which fixes they lack; else null. */
  unpatched: v.nullable(
    v.strictObject({
      hardware: v.array(v.string()),
      packages: v.array(v.string()),
      units: v.number(),
      advisories: v.array(v.strictObject({ advisory: v.string(), units: v.number(), published: Time })),
    }),
  ),
})

export const conditionJson = (condition: ConditionState): v.InferOutput<typeof ConditionJson> => ({
  kind: condition.kind,
  id: condition.id,
  title: condition.title,
  profile: { ...condition.profile },
  practices: [...condition.practices],
  measure: condition.kind === 'limitation' ? condition.measure : null,
  check: condition.check,
  state: condition.state,
  unpatched: condition.kind === 'limitation' ? unpatchedJson(condition.unpatched) : null,
})

const unpatchedJson = (found: Unpatched | undefined): v.InferOutput<typeof ConditionJson>['unpatched'] =>
  found === undefined
    ? null
    : {
        hardware: [...found.hardware],
        packages: [...found.packages],
        units: found.units,
        advisories: found.advisories.map(({ publishedAt, ...each }) => ({ ...each, published: toTime(publishedAt) })),
      }
