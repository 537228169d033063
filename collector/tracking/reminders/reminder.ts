import type { EventKind } from '../../model/notification.ts'
import type { Severity } from '../../../shared/codes/findings.ts'

/** A date that has come so near that people are told. */
export interface Reminder {
  readonly kind: EventKind
  /** Names the date. When the date moves it is another one, of which is told anew. */
  readonly date: string
  /** The later the threshold, the higher. Of each is told at most once, and of none before the highest that was told. */
  readonly stage: number
  readonly severity: Severity
  /** Id of what the date is of. */
  readonly subject: string
  readonly text: string
  /** VENDOR/MODEL of each product that it is about. */
  readonly products: readonly string[]
}

/** `at`: seconds since 1970. */
export const dayText = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10)

/** Some of them by name: one line has to do. */
export function productsText(products: readonly string[]): string {
  const named = products.slice(0, 3).join(', ')
  return products.length > 3 ? `${named} and ${products.length - 3} more` : named
}
