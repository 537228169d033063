import { DAY_MS } from '../../../shared/maturity/conformity/sample.ts'
import { objectiveOf } from '../../../shared/maturity/objective.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import type { RecordedEvent } from '../../model/recorded-event.ts'
import type { Release } from '../../model/release.ts'
import type { DatedDocument } from '../triggers/calendar-triggers.ts'
import type { RecordedIncident } from '../triggers/evidence-triggers.ts'
import type { VulnerabilityAnalysis } from '../triggers/registry-triggers.ts'

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** Searches for vulnerabilities, each of one release, which people name by its name. */
export const analysesOf = (
  events: readonly RecordedEvent[],
  releases: readonly Release[],
): readonly VulnerabilityAnalysis[] =>
  events.flatMap(({ kind, detail, occurredAt }) => {
    if (kind !== 'vulnerabilities-analysed') return []
    const of = releases.filter(({ name }) => name === detail.release)
    return of.map(({ id }) => ({ release: id, madeAt: seconds(occurredAt) }))
  })

/** Incidents since a certificate was issued: what was before it was known to the assessment. `since`: seconds. */
export const incidentsOf = (events: readonly RecordedEvent[], since: number): readonly RecordedIncident[] =>
  events.flatMap(({ kind, detail, occurredAt }) =>
    kind === 'incident-detected' && seconds(occurredAt) >= since
      ? [{ id: detail.incident, severity: detail.severity, detectedAt: seconds(occurredAt) }]
      : [],
  )

const RESPONSE = 'event-detection-and-response-plan'

/** When the response plan has to be exercised again; none before the first time, which nobody has dated. */
export function nextDrill(events: readonly RecordedEvent[], profile: ProfileDocument | null): readonly DatedDocument[] {
  const practice = profile?.practices[RESPONSE]
  const held = events.filter(({ kind }) => kind === 'drill-held').map(({ occurredAt }) => occurredAt)
  if (practice === undefined || held.length === 0) return []
  const { target } = objectiveOf('response.drill-age', practice.slo['response.drill-age'])
  const title = 'exercise of the response plan'
  return [{ id: 'drill', title, kind: 'review', validUntil: seconds(Math.max(...held) + target * DAY_MS) }]
}
