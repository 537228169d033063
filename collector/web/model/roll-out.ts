import type { RollOut } from '../core/types-face.ts'

export interface Bar {
  readonly day: string
  readonly arrived: number
  readonly total: number
  readonly x: number
  readonly width: number
  readonly y: number
  readonly height: number
}

const DAY_MS = 86_400_000
const MOST = 90

/** A bar a day from the first arrival to the last, at most the newest 90 of them; days without any keep what was there. */
export function rollOutBars(
  { days }: RollOut,
  box: { readonly width: number; readonly height: number },
): readonly Bar[] {
  const [first] = days
  const last = days.at(-1)
  if (first === undefined || last === undefined) return []
  const arrivals = new Map(days.map((each) => [each.day, each]))
  const all: { day: string; arrived: number; total: number }[] = []
  let total = 0
  const from = Math.max(Date.parse(first.day), Date.parse(last.day) - (MOST - 1) * DAY_MS)
  for (const { day, total: held } of days) if (Date.parse(day) < from) total = held
  for (let at = from; at <= Date.parse(last.day); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10)
    const arrived = arrivals.get(day)?.arrived ?? 0
    total = arrivals.get(day)?.total ?? total
    all.push({ day, arrived, total })
  }
  const step = box.width / Math.max(all.length, 14)
  return all.map((each, index) => {
    const height = (each.total / last.total) * box.height
    return { ...each, x: index * step, width: step * 0.8, y: box.height - height, height }
  })
}
