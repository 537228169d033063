import { equal } from '../../shared/bytes/bytes.ts'
import { pathMatcher } from '../../shared/ima/glob.ts'
import { changesOf, factsOf, statusOf, type Statement } from '../../shared/posture/diff.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import type { Deviation } from '../appraisal/context.ts'
import { changeDeviation, sectionStatus } from '../appraisal/section-deviations.ts'
import type { ExpectedSection } from './compiled.ts'
import { allowedListeners } from './judge-listeners.ts'
import { judgePackages } from './judge-packages.ts'
import { allowedSources } from './judge-sources.ts'
import type { FactRule, SectionRules } from './rule-schema.ts'

/** What typed rules have decided: subjects of which nothing more is asked, and what is wrong. */
export interface Decided {
  readonly subjects: ReadonlySet<string>
  readonly deviations: readonly Deviation[]
}

/** A section as a device reports it: its content, or why that cannot be read. */
export interface ReportedSection {
  readonly digest: Uint8Array
  readonly reading: SectionReading | { readonly unreadable: string }
}

/**
 * How a reported section departs from what a release expects. Typed rules decide first, then the rules for statements
 * in their order; whatever no rule speaks of has to be exactly as captured, and is not let pass where nothing was.
 */
export function judgeSection(
  id: SectionId,
  { captured, rules }: ExpectedSection,
  { digest, reading }: ReportedSection,
): readonly Deviation[] {
  const hasRules = Object.values(rules).some((rule) => rule !== undefined)
  if (captured !== null && !hasRules && equal(captured.digest, digest)) return []
  if ('unreadable' in reading) return [sectionStatus(id, 'readable', reading.unreadable)]
  const wanted: SectionReading | undefined = captured?.reading
  if (reading.status !== 'measured' || (wanted !== undefined && wanted.status !== 'measured')) {
    const [before, after] = [wanted === undefined ? 'measured' : statusOf(wanted), statusOf(reading)]
    return before === after ? [] : [sectionStatus(id, before, after)]
  }
  const content = reading.content
  const expected = wanted?.status === 'measured' ? wanted.content : undefined
  const decided = judgeTyped(id, rules, content, expected)
  const deviations = [...decided.deviations]
  const left = without(factsOf(id, content as never), decided.subjects)
  const approved = without(expected === undefined ? new Map() : factsOf(id, expected as never), decided.subjects)
  deviations.push(...judgeFacts(id, rules.facts ?? [], left, approved, decided.subjects))
  deviations.push(...changesOf(approved, left).map((change) => changeDeviation(id, change)))
  return deviations
}

function without(facts: ReadonlyMap<string, Statement>, subjects: ReadonlySet<string>): Map<string, Statement> {
  return new Map([...facts].filter(([subject]) => !subjects.has(subject)))
}

const NOTHING: Decided = { subjects: new Set(), deviations: [] }

/** The contents are the section's own, chosen by `id`: TypeScript cannot follow that through the union. */
function judgeTyped(
  id: SectionId,
  { listeners, packages, updateSources }: SectionRules,
  content: SectionContents[SectionId],
  expected: SectionContents[SectionId] | undefined,
): Decided {
  const all = expected === undefined ? [content] : [content, expected]
  if (id === 'sockets' && listeners !== undefined) {
    const subjects = allowedListeners(listeners.allow, all as SectionContents['sockets'][])
    return { subjects, deviations: [] }
  }
  if (id === 'packages' && packages !== undefined) {
    const [own, captured] = [content, expected] as (SectionContents['packages'] | undefined)[]
    return own === undefined ? NOTHING : judgePackages(packages, own, captured)
  }
  if (id === 'update-channel' && updateSources !== undefined) {
    const subjects = allowedSources(updateSources, all as SectionContents['update-channel'][])
    return { subjects, deviations: [] }
  }
  return NOTHING
}

/** Judges the statements that a rule matches, and takes them out of both maps. */
function judgeFacts(
  id: SectionId,
  rules: readonly FactRule[],
  left: Map<string, Statement>,
  approved: Map<string, Statement>,
  decided: ReadonlySet<string>,
): Deviation[] {
  const deviations: Deviation[] = []
  const compiled = rules.map((rule) => ({ rule, matches: pathMatcher(rule.subject) }))
  for (const subject of new Set([...left.keys(), ...approved.keys(), ...named(rules, decided)])) {
    const rule = compiled.find(({ matches }) => matches(subject))?.rule
    if (rule === undefined) continue
    const found = left.get(subject)
    const before = approved.get(subject)
    left.delete(subject)
    approved.delete(subject)
    if ('any' in rule) continue
    const values = 'oneOf' in rule ? rule.oneOf : [rule.value]
    if (found !== undefined && values.includes(found.value)) continue
    // A pattern says what a statement may be; a name says that there has to be one.
    if (found === undefined && before === undefined && rule.subject !== subject) continue
    const wanted = values.join(' or ')
    const code = found === undefined ? before?.codes?.removed : (found.codes?.changed ?? found.codes?.added)
    const change =
      found === undefined
        ? ({ kind: 'removed', subject, before: wanted } as const)
        : ({ kind: 'changed', subject, before: wanted, after: found.value } as const)
    deviations.push(changeDeviation(id, { ...change, ...(code === undefined ? {} : { code }) }))
  }
  return deviations
}

const named = (rules: readonly FactRule[], decided: ReadonlySet<string>): string[] =>
  rules
    .filter((rule) => !/[*?]/.test(rule.subject) && !('any' in rule) && !decided.has(rule.subject))
    .map(({ subject }) => subject)
