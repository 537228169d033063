import type { StateScalar } from '../../shared/evidence/state.ts'

/**
 * Seconds. What an agent says is counted as the next of these that is no shorter: a few, so that every question about
 * all devices has a few deadlines and no computation for each of them.
 */
export const COUNTED_INTERVALS = [900, 1800, 3600, 7200, 14_400, 43_200, 86_400] as const

/** How often a device reports, by the word of its agent; null where that is as often as is usual, or makes no sense. */
export function countedInterval(stated: StateScalar | undefined): number | null {
  if (typeof stated !== 'number' || stated <= 0) return null
  return COUNTED_INTERVALS.find((seconds) => seconds >= stated) ?? COUNTED_INTERVALS.at(-1) ?? null
}
