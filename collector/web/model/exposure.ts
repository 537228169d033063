import type { Patching } from '../core/types-advisories.ts'
import type { Tone } from './standing.ts'

const DAY_MS = 86_400_000

/** How many advisories devices were affected by at the end of a day: all of them, and the critical and high ones. */
export interface ExposureDay {
  /** ms since 1970. */
  readonly at: number
  readonly all: number
  readonly severe: number
}

/** The last days, oldest first; today's is of now. */
export function exposureByDay(patching: readonly Patching[], now: number, days: number): readonly ExposureDay[] {
  const spans = patching.map(({ exposed, patched, severity }) => ({
    from: Date.parse(exposed),
    to: patched === null ? Number.POSITIVE_INFINITY : Date.parse(patched),
    isSevere: severity === 'critical' || severity === 'high',
  }))
  return Array.from({ length: days }, (_, index) => {
    const at = now - (days - 1 - index) * DAY_MS
    const open = spans.filter(({ from, to }) => from <= at && to > at)
    return { at, all: open.length, severe: open.filter(({ isSevere }) => isSevere).length }
  })
}

const TONES: Readonly<Record<string, Tone>> = { critical: 'bad', high: 'bad', medium: 'warn', low: 'quiet' }
export const severityTone = (severity: string | null, exploited = false): Tone =>
  exploited ? 'bad' : (TONES[severity ?? ''] ?? 'warn')

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  affected: 'bad',
  'fixed-not-running': 'warn',
  unknown: 'warn',
  'under-investigation': 'warn',
  'not-affected': 'good',
}
export const exposureTone = (status: string): Tone => STATUS_TONES[status] ?? 'quiet'

/** What counts against the product now: neither settled nor excluded. */
export const isOpen = ({ status, excludedUntil }: { readonly status: string; readonly excludedUntil: string | null }) =>
  status !== 'not-affected' && excludedUntil === null
