/** From one moment to another, ms since 1970. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** What a collector has written down about itself. */
export interface RecordedInterval extends Interval {
  readonly kind: 'up' | 'backlog'
  /** Why there was a gap before. */
  readonly cause: string
}

/** Times in which no collector took evidence as it came, oldest first, none overlapping another. */
export type Downtime = readonly Interval[]

/** Whoever has written nothing for longer than this was not there: three times the period of writing. */
export const UNHEARD_MS = 30_000

/**
 * The gaps between what collectors have written down, and the times in which one of them held devices back. Before the
 * first interval nothing is known, which is no downtime. `intervals`: by their beginning.
 */
export function downtimeOf(intervals: readonly RecordedInterval[], now: number): Downtime {
  const gaps: Interval[] = intervals.filter(({ kind }) => kind === 'backlog')
  let end: number | undefined
  for (const { from, to } of intervals.filter(({ kind }) => kind === 'up')) {
    if (end !== undefined && from > end) gaps.push({ from: end, to: from })
    end = Math.max(end ?? to, to)
  }
  if (end !== undefined && now - end > UNHEARD_MS) gaps.push({ from: end, to: now })
  return joined(gaps)
}

function joined(gaps: readonly Interval[]): Downtime {
  const result: Interval[] = []
  for (const { from, to } of [...gaps].sort((one, other) => one.from - other.from)) {
    const last = result.at(-1)
    if (last === undefined || from > last.to) result.push({ from, to })
    else result[result.length - 1] = { from: last.from, to: Math.max(last.to, to) }
  }
  return result
}

/** How much of the time from `from` to `to` was downtime. */
export function downtimeBetween(downtime: Downtime, from: number, to: number): number {
  let sum = 0
  for (const gap of downtime) sum += Math.max(0, Math.min(gap.to, to) - Math.max(gap.from, from))
  return sum
}

/** The moment since when somebody was there to see evidence for `ms` in all. What came before it is older than that. */
export function momentBefore(downtime: Downtime, now: number, ms: number): number {
  let [moment, left] = [now, ms]
  for (const { from, to } of downtime.toReversed()) {
    if (from >= moment) continue
    const seen = moment - Math.min(to, moment)
    if (seen >= left) break
    left -= seen
    moment = from
  }
  return moment - left
}
