import { isFinal, type Case } from '../../shared/decisions/cases/case.ts'
import { isOpen, PRIORITY_ORDER } from './gap.ts'
import type { ReportedCase } from './model.ts'
import type { DomainGap, PracticeGap, Roadmap, RoadmapItem } from './model-kinds.ts'
import { ofSeconds } from './sources.ts'

interface RoadmapInput {
  readonly gaps: readonly DomainGap[]
  readonly cases: readonly ReportedCase[]
  /** As the decision log has them. */
  readonly decided: ReadonlyMap<string, Pick<Case, 'plan' | 'scope' | 'state'>>
  /** Steps that were signed by themselves. */
  readonly steps?: readonly RoadmapItem[]
  /** ms since 1970. */
  readonly now: number
}

/**
 * What is to be done: first what somebody has signed, as a step or in the plan of a case, with who does it and until when;
 * then each gap that nothing of it is about, which is computed, and nobody's promise.
 */
export function roadmapOf({ gaps, cases, decided, steps = [], now }: RoadmapInput): Roadmap {
  const ofCases = cases.flatMap((each) => {
    const found = decided.get(each.id)
    return found?.plan ? planItems(each, found.plan.actions, found, now) : []
  })
  const planned = [...steps, ...ofCases]
  const open = planned.filter(({ state }) => state === 'open' || state === 'overdue')
  const derived = gaps
    .flatMap(({ practices }) => practices)
    .filter(
      (gap) =>
        isOpen(gap) && !open.some((item) => item.product === gap.product && item.practices.includes(gap.practice)),
    )
    .sort((a, b) => rank(a) - rank(b))
    .map(derivedItem)
  const items = [...planned.sort((a, b) => ((a.due ?? '') < (b.due ?? '') ? -1 : 1)), ...derived]
  const count = (matches: (item: RoadmapItem) => boolean): number => items.filter(matches).length
  return {
    progress: {
      items: items.length,
      done: count(({ state }) => state === 'done'),
      overdue: count(({ state }) => state === 'overdue'),
      withoutOwner: count(({ owner }) => owner === null),
    },
    items,
  }
}

type Plan = NonNullable<Case['plan']>

function planItems(
  { id, product }: ReportedCase,
  actions: Plan['actions'],
  { scope, state }: Pick<Case, 'scope' | 'state'>,
  now: number,
): RoadmapItem[] {
  return actions.map(({ what, owner, due }) => ({
    source: 'decided',
    id: null,
    product,
    practices: scope?.practices ?? [],
    what,
    levels: null,
    owner,
    due: ofSeconds(due),
    // The log says of a case that it is over, not of each action.
    state: isFinal(state) ? 'done' : due * 1000 < now ? 'overdue' : 'open',
    evidence: scope?.criteria.map(({ practice, criterion }) => `${practice}: ${criterion}`) ?? [],
    case: id,
    recommendation: null,
  }))
}

function derivedItem({ product, practice, target, supported, restore }: PracticeGap): RoadmapItem {
  const steps = [...new Set(restore.map(({ what }) => what))]
  return {
    source: 'derived',
    id: null,
    product,
    practices: [practice],
    what: steps.join(' ') || `Bring it from level ${supported} to level ${target}.`,
    levels: { from: supported, to: target },
    owner: null,
    due: null,
    state: 'open',
    evidence: restore.map(({ about, why }) => (about === null ? why : `${about}: ${why}`)),
    case: null,
    recommendation: null,
  }
}

/** By priority, then by how much is missing. */
function rank({ priority, missing }: PracticeGap): number {
  const at = PRIORITY_ORDER.indexOf(priority ?? '')
  return (at < 0 ? PRIORITY_ORDER.length : at) * 10 - missing
}
