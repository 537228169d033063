import type { ImaProblem, ReplayedImaEntry } from './types.ts'

/**
 * Every violation among replayed entries, as a problem. The kernel records one when a file was written to while it was
 * measured, or was measured while open for writing: what ran may differ from every digest in the list. No exclude
 * covers it, for its path is not proven.
 */
export function violationsOf(entries: readonly ReplayedImaEntry[]): readonly ImaProblem[] {
  return entries.flatMap((entry) =>
    entry.kind === 'violation'
      ? [{ code: 'ima.violation' as const, sequence: entry.sequence, path: entry.claimedPath }]
      : [],
  )
}
