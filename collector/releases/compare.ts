import { changesOf, statusOf, type Statement, factsOf } from '../../shared/posture/diff.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { CompiledRelease, ExpectedBoot, ExpectedSection } from './compiled.ts'
import type { ListenerRule } from './rule-schema.ts'

/** One thing in which two releases differ. */
export interface ReleaseChange {
  /** A section, or `measured boot`. */
  readonly part: string
  /** What a rule says, or what was captured. */
  readonly about: 'rule' | 'captured' | 'value'
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

/** What a person has to look at before he approves `after` as the successor of `before`, in a stable order. */
export function compareReleases(before: CompiledRelease | null, after: CompiledRelease): readonly ReleaseChange[] {
  const ids = [...new Set([...(before?.sections.keys() ?? []), ...after.sections.keys()])].sort()
  return [
    ...ids.flatMap((id) => sectionChanges(id, before?.sections.get(id), after.sections.get(id))),
    ...bootChanges(before?.boot ?? null, after.boot),
  ]
}

function sectionChanges(
  id: SectionId,
  before: ExpectedSection | undefined,
  after: ExpectedSection | undefined,
): ReleaseChange[] {
  const captured = changes(id, 'captured', capturedFacts(id, before), capturedFacts(id, after))
  const rules = changes(id, 'rule', ruleTexts(before), ruleTexts(after))
  return [...rules, ...captured]
}

function changes(
  part: string,
  about: ReleaseChange['about'],
  before: ReadonlyMap<string, Statement>,
  after: ReadonlyMap<string, Statement>,
): ReleaseChange[] {
  return changesOf(before, after).map((change) => ({
    part,
    about,
    subject: change.subject,
    before: change.kind === 'added' ? null : change.before,
    after: change.kind === 'removed' ? null : change.after,
  }))
}

function capturedFacts(id: SectionId, section: ExpectedSection | undefined): ReadonlyMap<string, Statement> {
  const reading = section?.captured?.reading
  if (reading === undefined) return new Map()
  if (reading.status !== 'measured') return new Map([['status', { value: statusOf(reading) }]])
  return factsOf(id, reading.content as never)
}

/** Each rule by what it is about, so that another value of it is a change and not two. */
function ruleTexts(section: ExpectedSection | undefined): ReadonlyMap<string, Statement> {
  const texts = new Map<string, Statement>()
  const add = (subject: string, value: string): void => {
    const known = texts.get(subject)
    texts.set(subject, { value: known === undefined ? value : `${known.value} | ${value}` })
  }
  const { listeners, packages, updateSources, facts = [] } = section?.rules ?? {}
  for (const { protocol, port, ports, scope, ...of } of listeners?.allow ?? []) {
    add(`allowed listener ${protocol} ${port ?? ports ?? 'every port'} ${scope}`, holderOf(of))
  }
  for (const { name, version } of packages?.exact ?? []) add(`package ${name}`, `exactly ${version}`)
  for (const { name, version } of packages?.minimum ?? []) add(`package ${name}`, `at least ${version}`)
  for (const pattern of packages?.forbidden ?? []) add(`packages ${pattern}`, 'forbidden')
  if (packages !== undefined) add('other packages', packages.ignoreAdditional ? 'ignored' : 'as captured')
  for (const { manager, id, uris, signedBy } of updateSources?.allow ?? []) {
    add(`allowed source ${manager} ${id}`, `from ${uris.join(' ')} by ${signedBy?.join(' ') ?? 'any trusted key'}`)
  }
  for (const key of updateSources?.keys ?? []) add(`allowed key ${key}`, 'may sign')
  for (const rule of facts) {
    const value = 'any' in rule ? 'anything' : 'oneOf' in rule ? `one of ${rule.oneOf.join(', ')}` : rule.value
    add(`statement ${rule.subject}`, value)
  }
  // The first that matches decides: the same rules in another order are other rules.
  if (facts.length > 1) add('order of the rules for statements', facts.map(({ subject }) => subject).join(', '))
  return texts
}

function holderOf({ executable, package: from, unit, namespace }: Partial<ListenerRule>): string {
  const named = Object.entries({ executable, package: from, unit, namespace }).filter(
    ([, value]) => value !== undefined,
  )
  const isAnyProgram = executable === undefined && from === undefined && unit === undefined
  return [...(isAnyProgram ? ['any executable'] : []), ...named.map(([what, value]) => `${what} ${value}`)].join(', ')
}

function bootChanges(before: ExpectedBoot | null, after: ExpectedBoot | null): ReleaseChange[] {
  return changes('measured boot', 'value', bootTexts(before), bootTexts(after))
}

function bootTexts(boot: ExpectedBoot | null): ReadonlyMap<string, Statement> {
  const texts = new Map<string, Statement>()
  if (boot === null) return texts
  const add = (subject: string, value: string): void => {
    const known = texts.get(subject)
    texts.set(subject, { value: known === undefined ? value : `${known.value} | ${value}` })
  }
  for (const { pcr, rules, isUnordered } of boot.reference?.pcrs ?? []) {
    for (const { name, digests, isOptional } of rules) {
      add(`PCR ${pcr} ${name}`, `${digests?.join(' or ') ?? 'any value'}${isOptional ? ', optional' : ''}`)
    }
    if (isUnordered) add(`PCR ${pcr} order of the events`, 'free')
  }
  // Also beside events: a value that is named is good whatever the events say.
  for (const { bank, pcr, values } of boot.pcrs) add(`PCR ${pcr} of ${bank}`, values.join(' or '))
  for (const { name, digests } of boot.namedEvents) add(`event ${name}`, digests.join(' or '))
  if (boot.tpmFirmware.length > 0) add('TPM firmware', boot.tpmFirmware.join(' or '))
  for (const pcr of boot.notJudged) add(`PCR ${pcr}`, 'not judged')
  return texts
}
