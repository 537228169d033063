import { LEVELS, type Level } from '../signals/definition.ts'
import type { PracticeId } from '../practices.ts'
import { SIGNALS, signalsOf, type SignalId } from '../signals.ts'
import type { SloOverride } from '../slo-override.ts'
import { capOfFleet, type AssuredUnits } from './caps.ts'
import { judge, type Judged } from './judge.ts'
import { levelObjective } from './objectives.ts'
import { documentReason, signalReason } from './reasons.ts'
import type { Measurement, Sample } from './sample.ts'
import type { Reason } from './status.ts'
import type { RawStatus } from './waiting.ts'

/** A document that a level of a practice asks for. `lapsed`: expired for longer than its grace and as long again. */
export interface DocumentCriterion {
  readonly level: Level
  readonly kind: string
  readonly state: 'in-force' | 'in-grace' | 'missing' | 'expired' | 'lapsed'
}

/** Something that the promised level rests on. `unsupported`: without it the level is not shown to hold. */
export interface ConditionCriterion {
  readonly effect: 'unsupported' | 'at-risk'
  readonly reason: Reason
}

export interface MeasuredSignal {
  readonly now: Measurement
  /** Samples of earlier days. */
  readonly history: readonly Sample[]
}

/** What a profile asks of one practice. */
export interface PracticeTargetInput {
  readonly level: Level
  readonly slo: Readonly<Record<string, SloOverride>>
}

export interface AssessmentInput {
  readonly today: number
  readonly signals: ReadonlyMap<SignalId, MeasuredSignal>
  readonly units: readonly AssuredUnits[]
  readonly documents: readonly DocumentCriterion[]
  /** What the profile presumes and does not hold, or is not known to. */
  readonly conditions: readonly ConditionCriterion[]
  /** null: no profile asks for this practice. */
  readonly target: PracticeTargetInput | null
}

export interface PracticeAssessment {
  readonly supported: Level | 0
  readonly raw: RawStatus
  /** What stands against it may not wait for further evaluations. */
  readonly immediate: boolean
  /** Of the units, how much is known by the signal that knows least; null where none is about units. */
  readonly coverage: { readonly known: number; readonly denominator: number } | null
  /** Worst first. */
  readonly reasons: readonly Reason[]
}

type Outcome = 'refuted' | 'unknown' | 'capped' | 'met' | 'nothing'

interface Criterion {
  readonly level: Level
  readonly outcome: Outcome
  readonly atRisk: boolean
  readonly immediate: boolean
  readonly reason: Reason | null
}

/**
 * What signals and documents support together. A signal refutes at once, and supports no more than it and the way it is
 * known can carry; a level needs all criteria of those below it; what is missing is unknown, and never a pass.
 */
export function assessPractice(practice: PracticeId, input: AssessmentInput): PracticeAssessment {
  const { target } = input
  const criteria = [
    ...signalsOf(practice).flatMap((signal) => signalCriteria(practice, signal, input)),
    ...input.documents.map(documentCriterion),
    ...(target === null ? [] : input.conditions.map((condition) => conditionCriterion(condition, target.level))),
  ]
  const supported = supportedLevel(criteria)
  const asked = criteria.filter(({ level }) => target === null || level <= target.level)
  const against = reasonsOf(asked)
  const base = { supported, coverage: coverageOf(practice, input) }
  if (target === null) return { ...base, raw: 'unknown', immediate: false, reasons: [notInProfile, ...against] }
  const refuted = asked.filter(({ outcome }) => outcome === 'refuted')
  if (refuted.length > 0) {
    return { ...base, raw: 'drift', immediate: refuted.some(({ immediate }) => immediate), reasons: against }
  }
  if (supported < target.level) {
    const reasons = against.length === 0 ? [unsupported(supported, target.level)] : against
    return { ...base, raw: 'unknown', immediate: false, reasons }
  }
  return {
    ...base,
    raw: asked.some(({ atRisk }) => atRisk) ? 'at-risk' : 'conforming',
    immediate: false,
    reasons: against,
  }
}

const notInProfile: Reason = {
  code: 'not-in-profile',
  text: 'no approved profile asks for it',
  restore: 'Approve a profile that does: keepseal profile lint',
}

const unsupported = (supported: Level | 0, target: Level): Reason => ({
  code: 'level-unsupported',
  level: Math.min(supported + 1, target) as Level,
  text: `nothing supports level ${target}: no signal with a value, and no document`,
  restore: 'Submit the documents that the catalogue asks for, or record what happened: keepseal event record',
})

/**
 * One criterion for each level that asks for the signal; and one for each higher level that units cannot carry by what
 * they say, since that level rests on this signal too.
 */
function signalCriteria(practice: PracticeId, signal: SignalId, input: AssessmentInput): Criterion[] {
  const definition = SIGNALS[signal]
  const effect = definition.practices[practice]
  if (effect === undefined) return []
  const override = input.target?.slo[signal]
  const measured = input.signals.get(signal)
  const carried = capOfFleet(definition, input.units)
  const lowest = LEVELS.find((level) => effect.levels[level] !== undefined) ?? 4
  return LEVELS.flatMap((level): Criterion[] => {
    const asked = effect.levels[level]
    const isCarried = carried >= level
    if (level < lowest || (asked === undefined && isCarried)) return []
    const objective = levelObjective(signal, asked ?? effect.levels[lowest] ?? 0, override)
    const judged = judge(definition, objective, measured?.now, input.today, measured?.history ?? [])
    const byItself = outcomeOf(judged, effect.supports)
    const outcome: Outcome = byItself === 'met' && !isCarried ? 'capped' : byItself
    if (asked === undefined && outcome !== 'capped') return []
    const reason = signalReason({
      signal,
      definition,
      objective,
      judged,
      level,
      cap: carried,
      outcome,
      now: measured?.now,
    })
    const immediate = definition.immediate === true
    return [{ level, outcome, atRisk: judged.state === 'at-risk', immediate, reason }]
  })
}

function outcomeOf({ state }: Judged, supports: Level | 0): Outcome {
  if (state === 'broken') return 'refuted'
  if (state === 'idle') return 'nothing'
  // What can only contradict says nothing by being good, or by not being known.
  if (supports === 0) return 'nothing'
  return state === 'unknown' ? 'unknown' : 'met'
}

function documentCriterion(document: DocumentCriterion): Criterion {
  const { level, state } = document
  const isGood = state === 'in-force' || state === 'in-grace'
  const outcome: Outcome = isGood ? 'met' : state === 'lapsed' ? 'refuted' : 'unknown'
  const reason = state === 'in-force' ? null : documentReason(document)
  return { level, outcome, atRisk: state === 'in-grace', immediate: false, reason }
}

function conditionCriterion({ effect, reason }: ConditionCriterion, level: Level): Criterion {
  const isAtRisk = effect === 'at-risk'
  return { level, outcome: isAtRisk ? 'nothing' : 'unknown', atRisk: isAtRisk, immediate: false, reason }
}

/** The highest level that something supports, with nothing against it or any lower one. */
function supportedLevel(criteria: readonly Criterion[]): Level | 0 {
  let supported: Level | 0 = 0
  for (const level of LEVELS) {
    const outcomes = criteria.filter((each) => each.level === level).map(({ outcome }) => outcome)
    if (outcomes.some((outcome) => outcome === 'refuted' || outcome === 'unknown' || outcome === 'capped')) break
    if (outcomes.includes('met')) supported = level
  }
  return supported
}

const RANK: readonly Outcome[] = ['refuted', 'unknown', 'capped', 'met', 'nothing']

/** One reason for each signal and document: the one of the lowest level, of the worst kind first. */
function reasonsOf(criteria: readonly Criterion[]): readonly Reason[] {
  const sorted = [...criteria].sort((a, b) => RANK.indexOf(a.outcome) - RANK.indexOf(b.outcome) || a.level - b.level)
  const told = new Map<string, Reason>()
  for (const { reason } of sorted) {
    const about = reason?.signal ?? reason?.document ?? reason?.condition ?? ''
    if (reason !== null && !told.has(about)) told.set(about, reason)
  }
  return [...told.values()]
}

function coverageOf(practice: PracticeId, { signals }: AssessmentInput): PracticeAssessment['coverage'] {
  let least: PracticeAssessment['coverage'] = null
  for (const signal of signalsOf(practice)) {
    const { objective } = SIGNALS[signal]
    const now = signals.get(signal)?.now
    if (objective.coverage === undefined || now === undefined || now.denominator === 0) continue
    const { known, denominator } = now
    if (least === null || known * least.denominator < least.known * denominator) least = { known, denominator }
  }
  return least
}
