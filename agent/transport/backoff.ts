/** Bounds of the time between two attempts, in milliseconds. */
export interface BackoffRules {
  readonly baseMs: number
  readonly maxMs: number
}

export const DEFAULT_BACKOFF: BackoffRules = { baseMs: 1_000, maxMs: 300_000 }

/**
 * Exponential back-off with full jitter: anything from nothing to the bound, which doubles with each failure. So a
 * fleet that lost its broker in one moment does not come back in one moment.
 * `failures`: consecutive ones, from 1. `random`: from 0 to below 1.
 */
export function backoffDelay(failures: number, random: number, { baseMs, maxMs }: BackoffRules): number {
  const bound = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30))
  return Math.floor(random * bound)
}
