import { didYouMean, nearest } from '../text/suggest.ts'
import type { Catalogue } from './catalogue/schema.ts'
import { misfitOf } from './objective.ts'
import { PRACTICE_IDS, type PracticeId } from './practices.ts'
import type { Check, PracticeTarget, ProfileDocument } from './profile.ts'
import { SIGNALS, type SignalId } from './signals.ts'
import type { SloOverride } from './slo-override.ts'

/** What is wrong with a profile that is written as it should be. */
export interface Problem {
  /** The keys that lead to it. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

const problem = (message: string, ...path: (string | number)[]): Problem => ({ path, message })

export const practicesOf = ({ practices }: ProfileDocument): readonly (readonly [PracticeId, PracticeTarget])[] =>
  PRACTICE_IDS.flatMap((id) => {
    const practice = practices[id]
    return practice === undefined ? [] : [[id, practice] as const]
  })

/** Everything that a schema cannot see: names that lead nowhere, and statements that contradict each other. */
export function problemsOf(document: ProfileDocument, catalogue: Catalogue): readonly Problem[] {
  return [
    ...basedOnProblems(document),
    ...practicesOf(document).flatMap(([id, practice]) => practiceProblems(id, practice, catalogue)),
    ...omittedProblems(document),
    ...document.limitations.flatMap(({ practices, compensation, unpatched }, index) => [
      ...(unpatched === undefined ? [] : unpatchedProblems(practices, compensation !== null, index)),
      ...practicesMissing(document, practices, 'limitations', index, 'practices'),
      ...(compensation === null
        ? []
        : checkProblems(compensation.check, catalogue, 'limitations', index, 'compensation', 'check')),
    ]),
    ...document.assumptions.flatMap(({ practices, check }, index) => [
      ...practicesMissing(document, practices, 'assumptions', index, 'practices'),
      ...(check === undefined ? [] : checkProblems(check, catalogue, 'assumptions', index, 'check')),
    ]),
  ]
}

function basedOnProblems({ id, basedOn }: ProfileDocument): readonly Problem[] {
  if (basedOn?.id !== id) return []
  return [problem(`${id} cannot be based on itself, in whatever version`, 'basedOn', 'id')]
}

function practiceProblems(
  id: PracticeId,
  { documents, slo }: PracticeTarget,
  catalogue: Catalogue,
): readonly Problem[] {
  const signals = Object.entries(slo) as readonly (readonly [SignalId, SloOverride])[]
  return [
    ...signals.flatMap(([signal, override]) => {
      const path = ['practices', id, 'slo', signal] as const
      if (SIGNALS[signal].practices[id] === undefined) return [problem('it says nothing about this practice', ...path)]
      const misfit = misfitOf(signal, override)
      return misfit === undefined ? [] : [problem(misfit, ...path)]
    }),
    ...documents.flatMap((kind, index) => {
      const path = ['practices', id, 'documents', index] as const
      const known = catalogue.documents[kind]
      if (known === undefined) return [problem(unknownDocument(kind, catalogue), ...path)]
      return known.practices[id] === undefined ? [problem(`${kind} says nothing about this practice`, ...path)] : []
    }),
  ]
}

const unknownDocument = (kind: string, { documents }: Catalogue): string =>
  `the catalogue has no kind of document ${kind}${didYouMean(nearest(kind, Object.keys(documents)))}`

function omittedProblems({ practices, omitted, basedOn }: ProfileDocument): readonly Problem[] {
  return Object.keys(omitted).flatMap((id) => {
    if (practices[id as PracticeId] !== undefined) return [problem('it is among the practices', 'omitted', id)]
    return basedOn === null ? [problem('there is no template that it could be left out of', 'omitted', id)] : []
  })
}

function unpatchedProblems(practices: readonly PracticeId[], isMadeUpFor: boolean, index: number): readonly Problem[] {
  const path = ['limitations', index, 'unpatched'] as const
  return [
    ...(practices.includes('patch-management') ? [] : [problem('it is no limitation of patch-management', ...path)]),
    ...(isMadeUpFor ? [] : [problem('nothing makes up for it: devices without fixes need a compensation', ...path)]),
  ]
}

function practicesMissing(
  { practices }: ProfileDocument,
  named: readonly PracticeId[],
  ...path: readonly (string | number)[]
): readonly Problem[] {
  return named.flatMap((id, index) =>
    practices[id] === undefined ? [problem(`the profile guarantees nothing for ${id}`, ...path, index)] : [],
  )
}

function checkProblems(check: Check, catalogue: Catalogue, ...path: readonly (string | number)[]): readonly Problem[] {
  if (check.kind === 'signal' && check.slo !== undefined) {
    const misfit = misfitOf(check.signal, check.slo)
    return misfit === undefined ? [] : [problem(misfit, ...path, 'slo')]
  }
  if (check.kind !== 'document' || catalogue.documents[check.document] !== undefined) return []
  return [problem(unknownDocument(check.document, catalogue), ...path, 'document')]
}

/** Where a profile is otherwise than its template without saying why. */
export function unexplainedDeviations(document: ProfileDocument, template: ProfileDocument): readonly Problem[] {
  return PRACTICE_IDS.flatMap((id) => {
    const [own, given] = [document.practices[id], template.practices[id]]
    if (own === undefined) {
      const isExplained = given === undefined || document.omitted[id] !== undefined
      return isExplained ? [] : [problem(`${id} is left out without a reason in omitted`, 'practices')]
    }
    if (own.rationale !== undefined || (given !== undefined && isSame(own, given))) return []
    const what = given === undefined ? 'the template does not have it' : 'it is otherwise than in the template'
    return [problem(`${what}, and there is no rationale`, 'practices', id)]
  })
}

function isSame(own: PracticeTarget, given: PracticeTarget): boolean {
  const plain = ({ target, priority, slo, documents }: PracticeTarget): string =>
    JSON.stringify([target.level, target.scope, priority, sorted(slo), [...documents].sort()])
  return plain(own) === plain(given)
}

function sorted(value: object): unknown {
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, item]) => [key, typeof item === 'object' && item !== null ? sorted(item) : item])
}
