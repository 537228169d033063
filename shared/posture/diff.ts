import type { FindingCode } from '../codes/findings.ts'
import type { SectionReading } from './reading.ts'
import type { ChangeKind, Fact, Strength } from './section-definition.ts'
import { SECTIONS, type SectionId } from './sections.ts'

/** One difference between two readings of a section. */
export type Change = (
  | { readonly kind: 'added'; readonly after: string }
  | { readonly kind: 'removed'; readonly before: string }
  | { readonly kind: 'changed'; readonly before: string; readonly after: string }
) & {
  readonly subject: string
  /** Which finding this is, where the section says so. */
  readonly code?: FindingCode
  /** What changed with it and is no finding of its own, each with what it is now: whoever approves the one approves these. */
  readonly parts?: readonly string[]
}

/** The subject of a change between measured and not measured. */
export const STATUS_SUBJECT = 'status'

/** `measured`, or why there is nothing to compare. */
export function statusOf(reading: SectionReading): string {
  switch (reading.status) {
    case 'measured':
      return 'measured'
    case 'failed':
      return `failed: ${reading.code}`
    default:
      return `${reading.status}: ${reading.reason}`
  }
}

export type Statement = Omit<Fact, 'subject'>

/** What is stated of each subject; several statements are joined in the order of the canonical content. */
export function factsOf<S extends SectionId>(
  id: S,
  content: Extract<SectionReading<S>, { status: 'measured' }>['content'],
) {
  const section = SECTIONS[id]
  const facts = new Map<string, Statement>()
  for (const { subject, ...statement } of section.facts(section.canonical(content))) {
    const known = facts.get(subject)
    facts.set(subject, known === undefined ? statement : joined(known, statement))
  }
  return facts
}

const joined = (one: Statement, other: Statement): Statement => ({
  value: `${one.value} | ${other.value}`,
  codes: { ...one.codes, ...other.codes },
  strength: { ...one.strength, ...other.strength },
  within: [...(one.within ?? []), ...(other.within ?? [])],
})

/**
 * What changed between two readings of one section, in a stable order, each cause once (see Fact.within). Where either was not measured, the only change
 * is that of the status: content that could not be looked at was not removed.
 */
export function diffSection<S extends SectionId>(
  id: S,
  before: SectionReading<S>,
  after: SectionReading<S>,
): readonly Change[] {
  if (before.status !== 'measured' || after.status !== 'measured') {
    const [was, is] = [statusOf(before), statusOf(after)]
    return was === is ? [] : [{ subject: STATUS_SUBJECT, kind: 'changed', before: was, after: is }]
  }
  return changesOf(factsOf(id, before.content), factsOf(id, after.content))
}

/** What changed between two sets of statements, in the order of the later one; then what is gone. */
export function changesOf(
  before: ReadonlyMap<string, Statement>,
  after: ReadonlyMap<string, Statement>,
): readonly Change[] {
  const old = new Map(before)
  const changes: Change[] = []
  const within = new Map<string, readonly string[]>()
  for (const [subject, statement] of after) {
    const previous = old.get(subject)
    const { value } = statement
    old.delete(subject)
    within.set(subject, [...(previous?.within ?? []), ...(statement.within ?? [])])
    if (previous === undefined) changes.push({ subject, kind: 'added', after: value, ...codeOf(statement, 'added') })
    else if (previous.value !== value) {
      changes.push({
        subject,
        kind: 'changed',
        before: previous.value,
        after: value,
        ...changeCode(previous, statement),
      })
    }
  }
  for (const [subject, statement] of old) {
    changes.push({ subject, kind: 'removed', before: statement.value, ...removalCode(statement) })
    within.set(subject, statement.within ?? [])
  }
  return folded(changes, within)
}

/** Leaves a change that is part of others to them, and tells with each of those what it stands for. */
function folded(changes: readonly Change[], within: ReadonlyMap<string, readonly string[]>): readonly Change[] {
  const changed = new Set(changes.map(({ subject }) => subject))
  const wholesOf = (subject: string): string[] => (within.get(subject) ?? []).filter((whole) => changed.has(whole))
  const parts = new Map<string, string[]>()
  for (const change of changes) {
    const now = 'after' in change ? change.after : 'gone'
    for (const whole of wholesOf(change.subject)) {
      parts.set(whole, [...(parts.get(whole) ?? []), `${change.subject}: ${now}`])
    }
  }
  // Parts of parts are told with the outermost.
  const allOf = (subject: string, seen: Set<string>): string[] => {
    if (seen.has(subject)) return []
    seen.add(subject)
    const inner = changes.filter((change) => wholesOf(change.subject).includes(subject))
    return [...(parts.get(subject) ?? []), ...inner.flatMap((change) => allOf(change.subject, seen))]
  }
  return changes
    .filter(({ subject }) => wholesOf(subject).length === 0)
    .map((change) => {
      const all = parts.has(change.subject) ? allOf(change.subject, new Set()) : []
      return all.length === 0 ? change : { ...change, parts: [...new Set(all)].sort() }
    })
}

/** What is not named counts as zero. What was not seen before, which is infinite, cannot have become weaker. */
const isWeaker = (before: Strength = {}, after: Strength = {}): boolean =>
  Object.entries(before).some(
    ([what, strength]) => Number.isFinite(strength) && (Object.hasOwn(after, what) ? (after[what] ?? 0) : 0) < strength,
  )

function changeCode(before: Statement, after: Statement): { code?: FindingCode } {
  const weakened = isWeaker(before.strength, after.strength) ? codeOf(after, 'weakened') : {}
  return weakened.code === undefined ? codeOf(after, 'changed') : weakened
}

/** What is stated no more guards against nothing. */
function removalCode(before: Statement): { code?: FindingCode } {
  const weakened = isWeaker(before.strength) ? codeOf(before, 'weakened') : {}
  return weakened.code === undefined ? codeOf(before, 'removed') : weakened
}

function codeOf({ codes }: Statement, kind: ChangeKind | 'weakened'): { code?: FindingCode } {
  const code = codes?.[kind]
  return code === undefined ? {} : { code }
}
