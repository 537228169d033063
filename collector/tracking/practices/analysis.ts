import { DAY_MS, shareOf, unmeasured, type Measurement } from '../../../shared/maturity/conformity/sample.ts'
import type { DatedFact } from '../../../shared/maturity/events/advisories.ts'
import type { SignalId } from '../../../shared/maturity/signals.ts'
import type { Fleet } from './fleet-signals.ts'

/** An analysis says something for so long; a release that came after it was not analysed at all. */
const VALID_DAYS = 365

/** Units whose very release was analysed, not long ago: an analysis of the release before is none of this one. */
export function measureAnalysis(fleet: Fleet, facts: readonly DatedFact[]): readonly [SignalId, Measurement] {
  const since = fleet.now - VALID_DAYS * DAY_MS
  const analysed = new Set(
    facts.flatMap((fact) =>
      fact.kind === 'vulnerabilities-analysed' && fact.occurredAt > since ? [fact.detail.release] : [],
    ),
  )
  const releases = new Set(fleet.releases.filter(({ name }) => analysed.has(name)).map(({ id }) => id))
  const seen = fleet.groups.filter(({ isCurrent }) => isCurrent)
  const count = (groups: typeof seen): number => groups.reduce((sum, each) => sum + each.count, 0)
  const known = count(seen)
  const { denominator } = fleet.summary
  if (known === 0 || fleet.releases.length === 0)
    return ['vulnerability.analysis-current', { ...unmeasured, denominator }]
  const good = count(seen.filter(({ releaseId }) => releaseId !== null && releases.has(releaseId)))
  return ['vulnerability.analysis-current', shareOf(good, known, denominator)]
}
