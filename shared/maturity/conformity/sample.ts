import type { SignalUnit } from '../signals/definition.ts'

/** All of one, in the whole numbers that samples are kept in. */
export const WHOLE = 1_000_000
export const DAY_MS = 86_400_000
export const HOUR_MS = 3_600_000

/** How many of a stored number one of the unit is: shares are kept in millionths, times in milliseconds. */
const SCALE: Readonly<Record<SignalUnit, number>> = { share: WHOLE, days: DAY_MS, hours: HOUR_MS, count: 1 }

export const toStored = (unit: SignalUnit, value: number): number => Math.round(value * SCALE[unit])
export const fromStored = (unit: SignalUnit, value: number): number => value / SCALE[unit]

/** What was measured of one signal of one product at one time. */
export interface Measurement {
  /** As stored; null: not known, or nothing to measure (`idle`). */
  readonly value: number | null
  /** Units or events that are as they should be, those that are known, and all that there are. */
  readonly good: number
  readonly known: number
  readonly denominator: number
  /** There was nothing that it could have been measured from: no advisory, no incident. Neither good nor unknown. */
  readonly idle?: boolean
  /** Of durations: the usual percentiles, and how many of them are not over yet. */
  /** Units that a limitation of the profile leaves without fixes, each once for each advisory: in no figure above. */
  readonly apart?: number
  readonly percentiles?: { readonly p50: number; readonly p90: number; readonly p95: number; readonly open: number }
}

/** The measurement that stands for a day: the newest of it. Days since 1970, UTC. */
export interface Sample extends Measurement {
  readonly day: number
}

export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)

export const unmeasured: Measurement = { value: null, good: 0, known: 0, denominator: 0 }
export const idle: Measurement = { ...unmeasured, idle: true }

/** Of `denominator` things, `known` of which are known, `good` are as they should be. */
export function shareOf(good: number, known: number, denominator = known): Measurement {
  return { value: known === 0 ? null : Math.floor((good / known) * WHOLE), good, known, denominator }
}

export const single = (value: number | null): Measurement =>
  value === null ? unmeasured : { value, good: 0, known: 1, denominator: 1 }

/** A duration that so many units or events took; `open`: it goes on, and has lasted so long by now. */
export interface Duration {
  readonly ms: number
  readonly weight: number
  readonly open: boolean
}

/**
 * Durations by a percentile. What is not over yet counts with the time that it has lasted: left out, it would make
 * those who wait longest look good.
 */
export function durationsOf(durations: readonly Duration[], percentile: number): Measurement {
  const sorted = durations.filter(({ weight }) => weight > 0).sort((a, b) => a.ms - b.ms)
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return idle
  const at = (percent: number): number => nearestRank(sorted, (total * percent) / 100)
  const open = sorted.reduce((sum, each) => sum + (each.open ? each.weight : 0), 0)
  const percentiles = { p50: at(50), p90: at(90), p95: at(95), open: Math.round(open) }
  const count = Math.round(total)
  return { value: at(percentile), good: count - percentiles.open, known: count, denominator: count, percentiles }
}

/** The smallest duration that at least this weight of all does not exceed. */
function nearestRank(sorted: readonly Duration[], weight: number): number {
  let sum = 0
  for (const each of sorted) {
    sum += each.weight
    // Weights may be parts of a unit: their sum misses the whole by a rounding error.
    if (sum >= weight - 1e-6) return each.ms
  }
  return sorted.at(-1)?.ms ?? 0
}
