import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
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
            () => held.reset(),
          ),
      })
    },
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
