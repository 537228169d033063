import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { AdvisoryFigures } from './advisories/figures.ts'
import type { Handled } from './ingest/evidence-handler.ts'

/** What the collector counts. Labels are closed lists: results and codes, never anything that a device names. */
export interface Metrics {
  readonly registry: Registry
  handled(handled: Handled): void
  failed(): void
  /** Messages that were put into quarantine. */
  setAside(count: number): void
  /** A message of a device that sends too many. */
  excess(how: 'delay' | 'drop'): void
  /** By how much the clock was stepped, ms. */
  watchClock(stepMs: () => number): void
  /** Where messages wait to be decided. */
  watchBacklog(backlog: () => number): void
  /** How many messages are in quarantine, which the database knows. */
  watchQuarantine(count: () => Promise<number>): void
  /** What devices are affected by, which the database knows. */
  watchAdvisories(figures: () => Promise<AdvisoryFigures>): void
}

export function createMetrics(): Metrics {
  let backlog = (): number => 0
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'keepseal_' })
  const verifications = new Counter({
    name: 'keepseal_attest_verifications_total',
    help: 'Messages that were decided, by result and outcome code',
    labelNames: ['result', 'code'],
    registers: [registry],
  })
  const failures = new Counter({
    name: 'keepseal_ingest_failures_total',
    help: 'Batches that could not be stored: faults of the collector, tried again',
    registers: [registry],
  })
  const quarantined = new Counter({
    name: 'keepseal_ingest_quarantined_total',
    help: 'Messages that could not be decided by a fault of the collector, and were put into quarantine',
    registers: [registry],
  })
  const excess = new Counter({
    name: 'keepseal_ingest_excess_total',
    help: 'Messages beyond the share of their device, which had to wait or were dropped to be sent again',
    labelNames: ['how'],
    registers: [registry],
  })
  const gauge: Gauge = new Gauge({
    name: 'keepseal_ingest_backlog',
    help: 'Messages that were taken in and are not decided yet',
    registers: [registry],
    collect: (): void => gauge.set(backlog()),
  })
  return {
    registry,
    handled: ({ result, code }) => verifications.inc({ result, code: code ?? 'none' }),
    failed: () => failures.inc(),
    setAside: (count) => quarantined.inc(count),
    excess: (how) => excess.inc({ how }),
    watchQuarantine: (count) => {
      const held: Gauge = new Gauge({
        name: 'keepseal_quarantine_messages',
        help: 'Messages that are in quarantine',
        registers: [registry],
        // Without the database there is no figure, and a figure that is old would be a wrong one.
        collect: () =>
          count().then(
            (messages) => held.set(messages),
            () => held.set(Number.NaN),
          ),
      })
    },
    watchAdvisories: (figures) => watchAdvisories(registry, figures),
    watchClock: (stepMs) => {
      const stepped: Gauge = new Gauge({
        name: 'keepseal_clock_step_seconds',
        help: 'By how much the clock of the machine was stepped, which is not followed; 0: it is trusted',
        registers: [registry],
        collect: (): void => stepped.set(stepMs() / 1000),
      })
    },
    watchBacklog: (watched) => {
      backlog = watched
    },
  }
}

/** Without the database there are no figures, and figures that are old would be wrong ones. */
function watchAdvisories(registry: Registry, figures: () => Promise<AdvisoryFigures>): void {
  const seconds = (ms: number | null): number => (ms === null ? Number.NaN : ms / 1000)
  const exposed: Gauge<'severity'> = new Gauge({
    name: 'keepseal_exposed_devices',
    help: 'Devices by the worst advisory that they are affected by; unknown: nobody knows their packages',
    labelNames: ['severity'],
    registers: [registry],
    collect: () =>
      figures().then(
        (found) => {
          for (const [severity, devices] of Object.entries(found.exposed)) exposed.set({ severity }, devices)
          exposed.set({ severity: 'unknown' }, found.unknown)
        },
        () => exposed.reset(),
      ),
  })
  const gauge = (name: string, help: string, of: (found: AdvisoryFigures) => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () =>
        figures().then(
          (found) => made.set(of(found)),
          () => made.set(Number.NaN),
        ),
    })
  }
  gauge(
    'keepseal_exploited_advisory_age_seconds',
    'How long the oldest advisory that is used in attacks and that devices are affected by has been public; 0: none',
    ({ oldestExploitedMs }) => seconds(oldestExploitedMs),
  )
  gauge(
    'keepseal_advisory_feed_age_seconds',
    'Since the feed of advisories that was looked at longest ago was looked at; NaN: there is none',
    ({ feedAgeMs }) => seconds(feedAgeMs),
  )
}
