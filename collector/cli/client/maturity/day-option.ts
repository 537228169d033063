import { text } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'

export const date = (description: string) => ({ description, value: text(10), placeholder: 'YYYY-MM-DD' }) as const

/** Midnight UTC in seconds since 1970. Throws `usage.invalid`. */
export function dayOf(option: string, day: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day)) return ms / 1000
  throw new KeepsealError('usage.invalid', `--${option} wants a date like 2026-03-31`)
}

/** The moment at which that day is over. */
export const endOfDay = (option: string, day: string): number => dayOf(option, day) + 86_400

/** The day that ends at this moment, as `endOfDay` has made it. */
export const lastDayText = (time: string): string => new Date(Date.parse(time) - 1000).toISOString().slice(0, 10)
