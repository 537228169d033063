import { USUAL_AGENT_LIMITS } from './agent-limits.ts'
import { SCOPES } from './levels.ts'
import { easing, objectiveOf } from './objective.ts'
import { PRACTICE_IDS, type PracticeId } from './practices.ts'
import { PRIORITIES, type Limitation, type PracticeTarget, type ProfileDocument } from './profile.ts'
import type { SignalId } from './signals.ts'
import type { SloOverride } from './slo-override.ts'

/** Something that the later of two profiles guarantees less of. */
export interface Weakening {
  readonly path: string
  readonly message: string
}

/**
 * Everything in which `after` promises less than `before`, and not only by a lower target: a new limitation, a weaker
 * priority, an easier objective, a document that is asked for no more. A change that weakens anything needs the proof of a lowering.
 */
export function weakeningsOf(before: ProfileDocument, after: ProfileDocument): readonly Weakening[] {
  return [
    ...PRACTICE_IDS.flatMap((id) => practiceWeakenings(id, before.practices[id], after.practices[id])),
    ...limitationWeakenings(before, after),
    ...newOnes(before.assumptions, after.assumptions).map((id) =>
      weaker(`assumptions.${id}`, 'more is taken for granted'),
    ),
    ...(rank(after.countsFrom) < rank(before.countsFrom)
      ? [weaker('countsFrom', 'fewer practices count for the certificate')]
      : []),
  ]
}

const weaker = (path: string, message: string): Weakening => ({ path, message })

/** 0: `must`. */
const rank = (priority: PracticeTarget['priority']): number => PRIORITIES.indexOf(priority)

function practiceWeakenings(
  id: PracticeId,
  was: PracticeTarget | undefined,
  is: PracticeTarget | undefined,
): readonly Weakening[] {
  const path = `practices.${id}`
  if (was === undefined) return []
  if (is === undefined) return [weaker(path, 'it is guaranteed no more')]
  const scope = (target: PracticeTarget['target']): number => SCOPES.indexOf(target.scope)
  return [
    ...(is.target.level < was.target.level
      ? [weaker(`${path}.target.level`, `level ${was.target.level} becomes ${is.target.level}`)]
      : []),
    ...(scope(is.target) < scope(was.target)
      ? [weaker(`${path}.target.scope`, `scope ${was.target.scope} becomes ${is.target.scope}`)]
      : []),
    ...(rank(is.priority) > rank(was.priority)
      ? [weaker(`${path}.priority`, `${was.priority} becomes ${is.priority}`)]
      : []),
    ...sloWeakenings(path, was, is),
    ...was.documents
      .filter((kind) => !is.documents.includes(kind))
      .map((kind) => weaker(`${path}.documents`, `${kind} is asked for no more`)),
  ]
}

/** Absent overrides stand for the default, so that taking one away is seen too. */
function sloWeakenings(path: string, was: PracticeTarget, is: PracticeTarget): readonly Weakening[] {
  const of = ({ slo }: PracticeTarget, signal: SignalId): SloOverride | undefined =>
    (slo as Partial<Record<SignalId, SloOverride>>)[signal]
  const signals = [...new Set([...Object.keys(was.slo), ...Object.keys(is.slo)])] as readonly SignalId[]
  return signals.flatMap((signal) => {
    const eased = easing(signal, objectiveOf(signal, of(was, signal)), objectiveOf(signal, of(is, signal)))
    return eased === undefined ? [] : [weaker(`${path}.slo.${signal}`, eased)]
  })
}

function newOnes(was: readonly { readonly id: string }[], is: readonly { readonly id: string }[]): readonly string[] {
  const known = new Set(was.map(({ id }) => id))
  return is.map(({ id }) => id).filter((id) => !known.has(id))
}

function limitationWeakenings(before: ProfileDocument, after: ProfileDocument): readonly Weakening[] {
  const earlier = new Map(before.limitations.map((each) => [each.id, each]))
  return after.limitations.flatMap((is) => {
    const path = `limitations.${is.id}`
    const was = earlier.get(is.id)
    return was === undefined ? [weaker(path, 'a new limitation')] : changedLimitation(path, was, is)
  })
}

const changedLimitation = (path: string, was: Limitation, is: Limitation): readonly Weakening[] => [
  ...is.practices
    .filter((id) => !was.practices.includes(id))
    .map((id) => weaker(`${path}.practices`, `it limits ${id} as well`)),
  ...(was.compensation !== null && is.compensation === null
    ? [weaker(`${path}.compensation`, 'nothing makes up for it any more')]
    : []),
  ...(isWider(was, is) ? [weaker(`${path}.unpatched`, 'more devices or packages go without fixes')] : []),
  ...(isTighter(was, is) ? [weaker(`${path}.agent`, 'the agent gets less to watch with')] : []),
  ...(was.public && !is.public ? [weaker(`${path}.public`, 'it is not shown to customers any more')] : []),
]

/** Where a limitation says nothing, the units stay as they are. */
function isTighter(
  { agent: was = USUAL_AGENT_LIMITS }: Limitation,
  { agent: is = USUAL_AGENT_LIMITS }: Limitation,
): boolean {
  return is.memoryMiB < was.memoryMiB || is.cpuPercent < was.cpuPercent
}

function isWider({ unpatched: was }: Limitation, { unpatched: is }: Limitation): boolean {
  if (is === undefined) return false
  if (was === undefined) return true
  // An empty list is all there are.
  const grows = (before: readonly string[], after: readonly string[]): boolean =>
    before.length > 0 && (after.length === 0 || after.some((one) => !before.includes(one)))
  return grows(was.hardware, is.hardware) || grows(was.packages, is.packages)
}
