import type { Practice, Sample } from '../core/types-more.ts'
import type { Tone } from './standing.ts'

export const LEVELS = [1, 2, 3, 4] as const
export type Level = (typeof LEVELS)[number]

/** One cell of the matrix: what is wanted at this level, and what is there. */
export type Cell = 'supported' | 'missing' | 'beyond' | 'empty'

/** `beyond`: more than is asked for, which counts for nothing and stands against nothing. */
export function cellOf({ target, supported }: Pick<Practice, 'target' | 'supported'>, level: number): Cell {
  const isWanted = target !== null && level <= target
  if (level <= supported) return isWanted || target === null ? (target === null ? 'beyond' : 'supported') : 'beyond'
  return isWanted ? 'missing' : 'empty'
}

const TONES: Readonly<Record<string, Tone>> = {
  conforming: 'good',
  'at-risk': 'warn',
  unknown: 'quiet',
  drift: 'bad',
  nonconforming: 'bad',
}
export const conformityTone = (conformity: string): Tone => TONES[conformity] ?? 'quiet'

export interface Objective {
  readonly isAtLeast: boolean
  readonly value: number
}

/** The line of an objective as the API words it: `at least 95 %`, `at most 30 days`. */
export function objectiveIn(text: string): Objective | undefined {
  const found = /(≥|>=|at least|≤|<=|at most|within)\s*([\d.]+)/.exec(text)
  if (found === null) return undefined
  return { isAtLeast: ['≥', '>=', 'at least'].includes(found[1] ?? ''), value: Number(found[2]) }
}

export interface Budget {
  readonly met: number
  readonly missed: number
  readonly unknown: number
}

/** Days on which the objective was met. A day that nobody knows of is no day that was met. */
export function budgetOf(samples: readonly Sample[], { isAtLeast, value: line }: Objective): Budget {
  let [met, missed, unknown] = [0, 0, 0]
  for (const { value } of samples) {
    if (value === null) unknown++
    else if (isAtLeast ? value >= line : value <= line) met++
    else missed++
  }
  return { met, missed, unknown }
}

export interface Chart {
  /** Each a path of days without a gap. */
  readonly paths: readonly string[]
  readonly line: number | undefined
  readonly top: number
}

/** Of a box of `width` and `height`; where nothing is known there is no line. */
export function chartOf(
  samples: readonly Pick<Sample, 'value'>[],
  objective: Objective | undefined,
  { width, height }: { readonly width: number; readonly height: number },
): Chart {
  const values = samples.flatMap(({ value }) => (value === null ? [] : [value]))
  const top = Math.max(1, ...values, objective?.value ?? 0) * 1.05
  const x = (index: number): number => (samples.length < 2 ? width / 2 : (index / (samples.length - 1)) * width)
  const y = (value: number): number => height - (value / top) * height
  const paths: string[] = []
  let open = ''
  samples.forEach(({ value }, index) => {
    if (value === null) {
      if (open !== '') paths.push(open)
      open = ''
    } else open += `${open === '' ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
  })
  if (open !== '') paths.push(open)
  return { paths, line: objective === undefined ? undefined : y(objective.value), top }
}
