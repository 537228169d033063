import type { SectionReading } from './reading.ts'
import { SECTIONS, type SectionId } from './sections.ts'

/** One difference between two readings of a section. */
export type Change =
  | { readonly subject: string; readonly kind: 'added'; readonly after: string }
  | { readonly subject: string; readonly kind: 'removed'; readonly before: string }
  | { readonly subject: string; readonly kind: 'changed'; readonly before: string; readonly after: string }

/** The subject of a change between measured and not measured. */
export const STATUS_SUBJECT = 'status'

function statusOf(reading: SectionReading): string {
  switch (reading.status) {
    case 'measured':
      return 'measured'
    case 'failed':
      return `failed: ${reading.code}`
    default:
      return `${reading.status}: ${reading.reason}`
  }
}

/** Subject to value; values of one subject are joined in the order of the canonical content. */
function factsOf<S extends SectionId>(id: S, content: Extract<SectionReading<S>, { status: 'measured' }>['content']) {
  const section = SECTIONS[id]
  const facts = new Map<string, string>()
  for (const { subject, value } of section.facts(section.canonical(content))) {
    const known = facts.get(subject)
    facts.set(subject, known === undefined ? value : `${known} | ${value}`)
  }
  return facts
}

/**
 * What changed between two readings of one section, in a stable order. Where either was not measured, the only change
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
  const old = factsOf(id, before.content)
  const changes: Change[] = []
  for (const [subject, value] of factsOf(id, after.content)) {
    const previous = old.get(subject)
    old.delete(subject)
    if (previous === undefined) changes.push({ subject, kind: 'added', after: value })
    else if (previous !== value) changes.push({ subject, kind: 'changed', before: previous, after: value })
  }
  for (const [subject, value] of old) changes.push({ subject, kind: 'removed', before: value })
  return changes
}
