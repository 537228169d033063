import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { assessPractice, type PracticeAssessment } from '../../../shared/maturity/conformity/assess.ts'
import { conditionCriteria, conditionsOf, type ConditionState } from '../../../shared/maturity/conformity/conditions.ts'
import { dayOf, type Measurement, type Sample } from '../../../shared/maturity/conformity/sample.ts'
import { advance, isTooLong, statusOf } from '../../../shared/maturity/conformity/waiting.ts'
import { trackAdvisories } from '../../advisories/track.ts'
import { advisoriesOf } from '../../../shared/maturity/events/advisories.ts'
import { measureEvents } from '../../../shared/maturity/events/measure.ts'
import { objectiveOf } from '../../../shared/maturity/objective.ts'
import type { SloOverride } from '../../../shared/maturity/slo-override.ts'
import { PRACTICE_IDS, type PracticeId } from '../../../shared/maturity/practices.ts'
import { SIGNAL_IDS, type SignalId } from '../../../shared/maturity/signals.ts'
import type { PracticeState } from '../../model/practice.ts'
import type { Product } from '../../model/product.ts'
import type { SeenDeadlines } from '../../store/fleet-page.ts'
import type { Store } from '../../store/index.ts'
import { measureAnalysis } from './analysis.ts'
import { practiceChangeHandlers } from './changes.ts'
import { evidenceFor } from './condition-evidence.ts'
import { tooLongReason, withConfirmation } from './confirm.ts'
import { assuredUnits, measureFleet, readFleet, type Fleet } from './fleet-signals.ts'
import { measureFeeds } from './feed-age.ts'
import { measurePatchTimes, watchedAdvisories } from './patch-time.ts'
import type { PostureOutcomes } from './posture-outcomes.ts'
import type { Agreed } from './targets.ts'
import { withUnits } from './failing-units.ts'
import { limitsOf, type UnpatchedLimit, type UnpatchedUnits } from './unpatched.ts'

export interface EvaluationContext {
  readonly now: number
  /** Number of the evaluation's time slot: each product is evaluated once in each, and never in an earlier one. */
  readonly slot: number
  /** Who was seen last before these moments is stale, or silent. */
  readonly deadlines: SeenDeadlines
  readonly postures: PostureOutcomes
  readonly random: RandomFunction
  readonly agreed: (store: Store) => Promise<Agreed>
}

/** The longest window that a profile may ask for. */
const HISTORY_DAYS = 366

/**
 * Evaluates all practices of a product, once for a slot: a second time changes nothing, and a clock that was set back
 * neither evaluates again nor removes anything. True when it was evaluated.
 */
export function evaluateProduct(store: Store, product: Product, context: EvaluationContext): Promise<boolean> {
  return store.transaction(async (transaction) => {
    const { now, slot } = context
    const before = await transaction.practices.evaluation(product.id)
    if (before !== undefined && (before.slot >= slot || before.evaluatedAt > now)) return false
    const agreed = await context.agreed(transaction)
    const fleet = await readFleet(transaction, context.postures, product.id, context.deadlines, now)
    const limits = limitsOf(agreed.profiles, before?.conditions ?? [])
    const { measured, unpatched } = await measure(transaction, fleet, agreed, limits, context)
    const day = dayOf(now)
    const history = await transaction.practices.samples(product.id, day - HISTORY_DAYS)
    await transaction.practices.saveSamples(product.id, sampled(measured, day))
    const conditions = await conclude(transaction, product, {
      fleet,
      measured,
      unpatched,
      history,
      agreed,
      context,
      day,
    })
    const fleetSummary = JSON.stringify(fleet.summary)
    await transaction.practices.setEvaluation(product.id, { slot, evaluatedAt: now, fleet: fleetSummary, conditions })
    return true
  })
}

const sampled = (measured: ReadonlyMap<SignalId, Measurement>, day: number): ReadonlyMap<SignalId, Sample> =>
  new Map([...measured].map(([signal, now]) => [signal, { ...now, day }]))

async function measure(
  store: Store,
  fleet: Fleet,
  agreed: Agreed,
  limits: readonly UnpatchedLimit[],
  { now, postures }: EvaluationContext,
): Promise<{ readonly measured: ReadonlyMap<SignalId, Measurement>; readonly unpatched: UnpatchedUnits }> {
  const overrides = new Map<string, SloOverride>([...agreed.targets.values()].flatMap(({ slo }) => Object.entries(slo)))
  const objective = (signal: SignalId) => objectiveOf(signal, overrides.get(signal))
  const events = await store.recordedEvents.counting(fleet.productId)
  // What is recorded as later than now, by a clock that was ahead, has happened by now.
  const facts = events.map((event) => ({ ...event, occurredAt: Math.min(event.occurredAt, now) }))
  const cases = await store.cases.openedOf(fleet.productId)
  const tracked = await trackAdvisories(store, fleet.productId, fleet.groups, now)
  const advisories = watchedAdvisories(advisoriesOf(facts), tracked)
  const patching = await measurePatchTimes(store, fleet, advisories, postures, objective, limits)
  const measured = new Map([
    ...measureEvents({ facts, cases, now, objective }),
    ...(await measureFleet(store, fleet, objective)),
    ...patching.measured,
    ...(await measureFeeds(store, now)),
    measureAnalysis(fleet, facts),
  ])
  return { measured, unpatched: patching.unpatched }
}

interface Concluding {
  readonly fleet: Fleet
  readonly measured: ReadonlyMap<SignalId, Measurement>
  readonly unpatched: UnpatchedUnits
  readonly history: ReadonlyMap<SignalId, Sample[]>
  readonly agreed: Agreed
  readonly context: EvaluationContext
  readonly day: number
}

async function conclude(store: Store, product: Product, concluding: Concluding): Promise<readonly ConditionState[]> {
  const { fleet, measured, unpatched, history, agreed, context, day } = concluding
  const units = assuredUnits(fleet)
  const signals = new Map(
    SIGNAL_IDS.flatMap((signal) => {
      const now = measured.get(signal)
      const earlier = (history.get(signal) ?? []).filter((sample) => sample.day < day)
      return now === undefined ? [] : [[signal, { now, history: earlier }] as const]
    }),
  )
  const conditions: ConditionState[] = []
  for (const profile of agreed.profiles) {
    const sources = { store, fleet, postures: context.postures, signals, agreed, today: day }
    conditions.push(...conditionsOf(profile, await evidenceFor(profile, sources), (id) => unpatched.of(profile, id)))
  }
  const states = await store.practices.states(product.id)
  for (const practice of PRACTICE_IDS) {
    const target = agreed.targets.get(practice) ?? null
    const documents = agreed.documents.get(practice) ?? []
    const against = [...(agreed.missing.get(practice) ?? []), ...conditionCriteria(practice, conditions)]
    const assessment = assessPractice(practice, { today: day, signals, units, documents, conditions: against, target })
    const reasons = await withUnits(store, fleet, measured, assessment.reasons)
    await enter(
      store,
      product,
      practice,
      { ...assessment, reasons },
      states.get(practice) ?? null,
      {
        level: target?.level ?? null,
        counts: agreed.counting.has(practice),
        confirmed: agreed.confirmed.get(practice) ?? null,
        driftDays: agreed.driftDays.get(practice),
      },
      context,
      agreed.certificates,
    )
  }
  return conditions
}

interface Asked {
  readonly level: PracticeState['explanation']['target']
  readonly counts: boolean
  /** As the decision log says, whatever was kept before. */
  readonly confirmed: PracticeState['confirmed']
  readonly driftDays: number | undefined
}

/** Stores what one practice is now; tells of it where that is something else than before. */
async function enter(
  store: Store,
  product: Product,
  practice: PracticeId,
  { supported, coverage, raw, immediate, reasons }: PracticeAssessment,
  before: PracticeState | null,
  { level: target, counts, confirmed, driftDays }: Asked,
  { now, random }: EvaluationContext,
  certificates: readonly string[],
): Promise<void> {
  // A practice that was not asked for until now begins anew: what was unknown then was no fault.
  const isNew = before === null || (before.explanation.target === null) !== (target === null)
  const waiting = advance(isNew ? null : before.waiting, raw, immediate, now)
  const tooLong = isTooLong(waiting, driftDays, now) ? [tooLongReason(waiting, driftDays)] : []
  const status = statusOf(waiting, confirmed !== null || tooLong.length > 0)
  const changed = isNew || before.status !== status
  const state: PracticeState = {
    status,
    since: changed ? now : before.since,
    waiting,
    confirmed,
    explanation: {
      target,
      counts,
      supported,
      coverage,
      reasons: withConfirmation([...tooLong, ...reasons], confirmed),
    },
  }
  await store.practices.saveState(product.id, practice, state)
  if (!changed || target === null) return
  const change = { from: isNew ? null : before.status, to: status, at: now, reasons: state.explanation.reasons }
  await store.practices.addTransition(product.id, practice, change)
  for (const handle of practiceChangeHandlers)
    await handle(store, { product, practice, ...change }, { random, certificates })
}
