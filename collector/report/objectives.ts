import { encodeCbor } from '../../shared/cbor/codec.ts'
import { judge } from '../../shared/maturity/conformity/judge.ts'
import { levelObjective } from '../../shared/maturity/conformity/objectives.ts'
import { targetText, valueText } from '../../shared/maturity/conformity/reasons.ts'
import { DAY_MS, dayOf, toStored, type Sample } from '../../shared/maturity/conformity/sample.ts'
import { objectiveOf } from '../../shared/maturity/objective.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import { SIGNAL_IDS, SIGNALS, type SignalId } from '../../shared/maturity/signals.ts'
import { directionOf, LEVELS, type Objective, type SignalUnit } from '../../shared/maturity/signals/definition.ts'
import type { SloOverride } from '../../shared/maturity/slo-override.ts'
import type { Product } from '../model/product.ts'
import type { ReportedObjective } from './model.ts'
import { sha256, time, type Making } from './sources.ts'

/** What is known of a product, read once for all parts of its report. */
export interface ProductSource {
  readonly product: Product
  readonly targets: ReadonlyMap<PracticeId, { readonly level: number; readonly scope: string }>
  readonly slo: Readonly<Partial<Record<SignalId, SloOverride>>>
  readonly samples: ReadonlyMap<SignalId, readonly Sample[]>
}

/** The longest window that a profile may ask for, and the last day of it. */
export const HISTORY_DAYS = 366

const UNITS: Readonly<Record<SignalUnit, ReportedObjective['unit']>> = {
  share: 'millionths',
  days: 'ms',
  hours: 'ms',
  count: 'count',
}

/** What stands for a day, and the days before. What was sampled before yesterday tells nothing of today. */
export function newestOf(
  samples: readonly Sample[],
  day: number,
): { readonly now: Sample | undefined; readonly history: readonly Sample[] } {
  const newest = samples.filter((each) => each.day <= day).at(-1)
  const now = newest !== undefined && newest.day >= day - 1 ? newest : undefined
  const before = (now ?? { day: day + 1 }).day
  return { now, history: samples.filter((each) => each.day < before) }
}

/** The service level objectives that the targets of a product ask for; all that is measured where nothing has a target. */
export function reportObjectives(making: Making, source: ProductSource): readonly ReportedObjective[] {
  return SIGNAL_IDS.flatMap((signal) => {
    const asked = askedOf(signal, source)
    return asked === undefined ? [] : [reportObjective(making, source, signal, asked)]
  })
}

interface Asked {
  readonly objective: Objective
  readonly practices: readonly PracticeId[]
}

/** The strictest that any practice with a target asks of a signal at its level. */
function askedOf(signal: SignalId, { targets, slo, samples }: ProductSource): Asked | undefined {
  const definition = SIGNALS[signal]
  const practices = Object.keys(definition.practices) as PracticeId[]
  if (targets.size === 0) {
    return samples.has(signal) ? { objective: objectiveOf(signal, slo[signal]), practices } : undefined
  }
  const asking = practices.flatMap((practice) => {
    const target = targets.get(practice)?.level ?? 0
    const levels = LEVELS.filter((level) => level <= target)
    const values = levels.flatMap((level) => definition.practices[practice]?.levels[level] ?? [])
    return values.length === 0 ? [] : [{ practice, value: values.at(-1) as number }]
  })
  if (asking.length === 0) return undefined
  const strictest = directionOf(definition) === 'at-least' ? Math.max : Math.min
  const value = strictest(...asking.map((each) => each.value))
  return { objective: levelObjective(signal, value, slo[signal]), practices: asking.map(({ practice }) => practice) }
}

function reportObjective(
  { period, ledger }: Making,
  { product, samples }: ProductSource,
  signal: SignalId,
  { objective, practices }: Asked,
): ReportedObjective {
  const definition = SIGNALS[signal]
  const day = dayOf(period.to)
  const { now, history } = newestOf(samples.get(signal) ?? [], day)
  const judged = judge(definition, objective, now, now?.day ?? day, history)
  const value = now?.value ?? null
  const window = [...history, ...(now === undefined ? [] : [now])].filter(
    (each) => each.day > day - objective.windowDays,
  )
  const digest = window.length === 0 ? null : sha256(sampleRows(product.id, signal, window))
  return {
    signal,
    title: definition.title,
    practices,
    unit: UNITS[definition.unit],
    target: toStored(definition.unit, objective.target),
    targetText: targetText(definition, objective),
    percentile: objective.percentile ?? null,
    windowDays: objective.windowDays,
    value,
    valueText:
      value === null ? (now?.idle === true ? 'nothing to measure' : 'not known') : valueText(definition, value),
    good: now?.good ?? 0,
    known: now?.known ?? 0,
    denominator: now?.denominator ?? 0,
    state: judged.state,
    because: judged.because,
    budgetUsedPermille: judged.burn === null ? null : Math.round(judged.burn * 1000),
    day: now === undefined ? null : time(now.day * DAY_MS).slice(0, 10),
    samples:
      digest === null
        ? null
        : {
            days: window.length,
            sha256: ledger.add('samples', digest, `${product.vendor}/${product.model} ${signal}`),
          },
  }
}

/** The rows of a window as they are digested: [product, signal, [[day, value, good, known, denominator], …]]. */
export const sampleRows = (productId: string, signal: SignalId, window: readonly Sample[]): Uint8Array =>
  encodeCbor([
    productId,
    signal,
    window.map(({ day, value, good, known, denominator }) => [day, value, good, known, denominator]),
  ])
