import type { Evidence } from '../../../shared/maturity/checks.ts'
import { judge } from '../../../shared/maturity/conformity/judge.ts'
import type { MeasuredSignal } from '../../../shared/maturity/conformity/assess.ts'
import { objectiveOf } from '../../../shared/maturity/objective.ts'
import type { Check, ProfileDocument } from '../../../shared/maturity/profile.ts'
import { SIGNALS, type SignalId } from '../../../shared/maturity/signals.ts'
import type { SloOverride } from '../../../shared/maturity/slo-override.ts'
import type { Store } from '../../store/index.ts'
import type { Agreed } from './targets.ts'
import type { Fleet } from './fleet-signals.ts'
import type { PostureOutcomes } from './posture-outcomes.ts'

type FactCheck = Extract<Check, { kind: 'section-fact' }>

/** So much of the fleet has to tell a fact, in percent: a few units do not speak for all. */
const TOLD_PERCENT = 95

interface ConditionSources {
  readonly store: Store
  readonly fleet: Fleet
  readonly postures: PostureOutcomes
  readonly signals: ReadonlyMap<SignalId, MeasuredSignal>
  readonly agreed: Pick<Agreed, 'document'>
  readonly today: number
}

/** What is known for the limitations and assumptions of one profile. Facts of sections are read here, each once. */
export async function evidenceFor(profile: ProfileDocument, sources: ConditionSources): Promise<Evidence> {
  const { signals, agreed, today } = sources
  const agreedSlo = new Map(
    Object.values(profile.practices).flatMap(({ slo }) => Object.entries(slo) as [SignalId, SloOverride][]),
  )
  const shares = new Map<string, number | null>()
  for (const check of factChecks(profile)) shares.set(keyOf(check), await shareOf(check, sources))
  return {
    signal: (signal, slo) => {
      const { now, history } = signals.get(signal) ?? { now: undefined, history: [] }
      const objective = objectiveOf(signal, slo ?? agreedSlo.get(signal))
      const { state } = judge(SIGNALS[signal], objective, now, today, history)
      if (state === 'broken') return 'broken'
      // Where there was no occasion to measure it nothing is shown.
      return state === 'met' || state === 'at-risk' ? 'holds' : 'unknown'
    },
    document: (kind) => agreed.document(kind),
    sectionFact: (section, fact, equals) => shares.get(keyOf({ section, fact, equals })) ?? null,
  }
}

const keyOf = ({
  section,
  fact,
  equals,
}: Pick<FactCheck, 'section' | 'equals'> & { fact: readonly string[] }): string =>
  JSON.stringify([section, fact, equals])

function factChecks({ limitations, assumptions }: ProfileDocument): readonly FactCheck[] {
  const checks = [
    ...limitations.map(({ compensation }) => compensation?.check),
    ...assumptions.map(({ check }) => check),
  ]
  return checks.flatMap((check) => (check?.kind === 'section-fact' ? [check] : []))
}

async function shareOf(
  { section, fact, equals }: FactCheck,
  { store, fleet, postures }: ConditionSources,
): Promise<number | null> {
  let [told, good] = [0, 0]
  for (const { isCurrent, postureDigest, vendor, count } of fleet.groups) {
    if (!isCurrent || postureDigest === null) continue
    const content = await postures.content(store, vendor, postureDigest, section)
    const value = factAt(content, fact)
    if (value === undefined) continue
    told += count
    if (value === equals) good += count
  }
  if (told === 0 || told * 100 < TOLD_PERCENT * fleet.summary.denominator) return null
  return Math.floor((good * 100) / told)
}

/** A fact of a section's content; undefined where it is not told, or is no single value. */
function factAt(content: unknown, path: readonly string[]): string | number | boolean | undefined {
  let value = content
  for (const key of path) {
    const isHolder = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    if (!isHolder) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return ['string', 'number', 'boolean'].includes(typeof value) ? (value as string | number | boolean) : undefined
}
