import type * as v from 'valibot'
import type { FindingCode } from '../codes/findings.ts'

/**
 * One comparable statement of a section. The subject is a stable identifier that people can read; findings are keyed
 * by it. Statements that share a subject are compared together.
 */
export interface Fact {
  readonly subject: string
  readonly value: string
  /**
   * Which finding it is that a device has come to state this without approval (added, changed), or states it no more.
   * Where nothing is said it is the section's usual one. What is stated is judged, not how it came about.
   */
  readonly codes?: FactCodes
  /**
   * What this guards against, and how much: a change after which one of these numbers is lower, or named no more, is a
   * `weakened` one where `codes` has that. Infinity: not seen, see `level` in ./observation.ts.
   */
  readonly strength?: Strength
  /**
   * Subjects whose change this one's is a part of: the keys of an account that is new, the rules of a firewall that was
   * flushed. Where one of them has changed as well, this one is no change of its own: one cause is one finding. So the
   * codes of such a subject take account of all that is within it. No subject is within itself, by whatever way.
   */
  readonly within?: readonly string[]
}

export type FactCodes = Readonly<Partial<Record<ChangeKind | 'weakened', FindingCode>>>
export type Strength = Readonly<Record<string, number>>

export type ChangeKind = 'added' | 'removed' | 'changed'

/** The same finding whatever the change. */
export const codesFor = (code: FindingCode) => ({ added: code, removed: code, changed: code }) as const

/** Everything that is known about a section's content apart from how it is measured. */
export interface SectionDefinition<Content> {
  /** What the collector accepts. */
  readonly schema: v.GenericSchema<unknown, Content>
  /** The one order and form in which equal content is written. Lists are sets here. */
  canonical(content: Content): Content
  /** The whole content as statements: contents that differ anywhere differ in at least one of them. */
  facts(content: Content): readonly Fact[]
}

/** Sorts by UTF-16 code units of `key`, which must tell different entries apart, and drops repetitions. */
export function sortedUnique<T>(entries: readonly T[], key: (entry: T) => string): T[] {
  const byKey = new Map<string, T>()
  for (const entry of entries) byKey.set(key(entry), entry)
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

export const sortedTexts = (texts: readonly string[]): string[] => sortedUnique(texts, (text) => text)

/** Joins fields into a key. Section texts hold no control characters, so different fields never give one key. */
export const keyOf = (...fields: readonly (string | number | boolean | undefined)[]): string => fields.join('\0')
