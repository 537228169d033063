import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { Handled } from './ingest/evidence-handler.ts'

/** What the collector counts. Labels are closed lists: results and codes, never anything that a device names. */
export interface Metrics {
  readonly registry: Registry
  handled(handled: Handled): void
  failed(): void
  /** Where messages wait to be decided. */
  watchBacklog(backlog: () => number): void
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
    watchBacklog: (watched) => {
      backlog = watched
    },
  }
}
