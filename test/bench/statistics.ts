/** The middle of `values`; between the two middle ones for an even number. Throws RangeError where there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[sorted.length >> 1]
  const lower = sorted[(sorted.length - 1) >> 1]
  if (upper === undefined || lower === undefined) throw new RangeError('a median of nothing')
  return (lower + upper) / 2
}

export interface Comparison {
  /** Median CPU time of one call, in microseconds. */
  readonly subjectUs: number
  readonly baselineUs: number
  /** Median over the rounds of subject divided by baseline. */
  readonly ratio: number
  readonly rounds: number
  readonly callsPerRound: number
}

/** As it is written down: whole microseconds, ratios to two places. */
export function rounded<C extends Comparison>(comparison: C): C {
  const { subjectUs, baselineUs, ratio } = comparison
  return {
    ...comparison,
    subjectUs: Math.round(subjectUs),
    baselineUs: Math.round(baselineUs),
    ratio: toHundredths(ratio),
  }
}

export const toHundredths = (value: number): number => Math.round(value * 100) / 100

export interface ComparisonOptions {
  readonly rounds: number
  readonly callsPerRound: number
  /** Calls of each before anything is timed, so that both run as compiled code. */
  readonly warmUp: number
}

/**
 * Compares two functions within one run. Rounds alternate, so that whatever else slows this machine down slows both;
 * the time is that of this process's CPU, because other processes may share the cores.
 */
export function compare(subject: () => void, baseline: () => void, options: ComparisonOptions): Comparison {
  const { rounds, callsPerRound, warmUp } = options
  for (let i = 0; i < warmUp; i++) {
    subject()
    baseline()
  }
  const subjects: number[] = []
  const baselines: number[] = []
  for (let round = 0; round < rounds; round++) {
    // Each second round the other way round: neither always runs in the wake of the other.
    const order = round % 2 === 0 ? [baseline, subject] : [subject, baseline]
    for (const action of order) (action === subject ? subjects : baselines).push(cpuTimeOf(action, callsPerRound))
  }
  const ratios = subjects.map((time, i) => time / (baselines[i] ?? Number.NaN))
  return {
    subjectUs: median(subjects),
    baselineUs: median(baselines),
    ratio: median(ratios),
    rounds,
    callsPerRound,
  }
}

/** CPU time of one of `calls` calls, in microseconds. */
function cpuTimeOf(action: () => void, calls: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}
