/** Time that people have, by the calendar or in working days (Monday to Friday, in UTC). */
export type Period = { readonly hours: number } | { readonly days: number } | { readonly workingDays: number }

const HOUR = 3600
const DAY = 24 * HOUR

/** The end of a period that begins at `from`; both in seconds since 1970. Whole working days end at the same time of day. */
export function endOfPeriod(from: number, period: Period): number {
  if ('hours' in period) return from + period.hours * HOUR
  if ('days' in period) return from + period.days * DAY
  let at = from
  for (let left = period.workingDays; left > 0;) {
    at += DAY
    const weekday = new Date(at * 1000).getUTCDay()
    if (weekday !== 0 && weekday !== 6) left -= 1
  }
  return at
}
