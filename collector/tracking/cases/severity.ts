import type { TriggerId } from '../../../shared/maturity/triggers.ts'

/** Failures that begin as one unit's, and say something of the product when several units show them. */
const BY_SHARE: readonly TriggerId[] = ['T1']

/** In percent of the units that are enrolled, and never a single unit. */
const CRITICAL_SHARE = 5
const CRITICAL_UNITS = 2

export function isCriticalShare(trigger: TriggerId, affected: number, enrolled: number): boolean {
  if (!BY_SHARE.includes(trigger) || affected < CRITICAL_UNITS) return false
  return affected * 100 >= CRITICAL_SHARE * enrolled
}
