import * as v from 'valibot'

/** Why one field of a section has no value. `absent` says that the system does not have the source, not that it is off. */
export const MISSING = ['absent', 'no-permission', 'too-large', 'unreadable', 'malformed'] as const
export type Missing = (typeof MISSING)[number]

/** One observed fact, or the reason why it could not be observed. Never a default that reads like a value. */
export type Observation<T> = { value: T } | { missing: Missing }

export const observation = <T>(value: v.GenericSchema<unknown, T>) =>
  v.union([v.strictObject({ value }), v.strictObject({ missing: v.picklist(MISSING) })])

/** One line for people and for comparison. A reason stands in parentheses, a value never begins with one by itself. */
export function describe<T>(observed: Observation<T>, show: (value: T) => string = String): string {
  if ('missing' in observed) return `(${observed.missing})`
  const shown = show(observed.value)
  return shown.startsWith('(') || shown.startsWith('"') ? JSON.stringify(shown) : shown
}

/** It may be there, and could not be looked at. */
export const isUnread = (observed: Observation<unknown>): boolean =>
  'missing' in observed && observed.missing !== 'absent'

/** How strong what was observed is: nothing where it is absent; no weaker than anything where it was not seen. */
export function level<T>(observed: Observation<T>, of: (value: T) => number): number {
  if ('missing' in observed) return observed.missing === 'absent' ? 0 : Number.POSITIVE_INFINITY
  return of(observed.value)
}
