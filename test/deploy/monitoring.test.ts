import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { measureRequests } from '../../collector/api/operations.ts'
import { createMetrics } from '../../collector/metrics.ts'
import { repository } from '../architecture/sources.ts'

const folder = join(repository, 'deploy', 'grafana')
interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}
const alerts = parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
const rules = alerts.groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
]

/** Every metric that the collector has, with the names that Prometheus gives the series of histograms. */
async function existing(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics()
  metrics.watchQuarantine(async () => 0)
  metrics.watchClock(() => 0)
  metrics.watchAdvisories(async () => ({
    exposed: { critical: 0, high: 0, medium: 0, low: 0 },
    unknown: 0,
    oldestExploitedMs: 0,
    feedAgeMs: null,
  }))
  measureRequests(fastify(), metrics.registry)
  const all = await metrics.registry.getMetricsAsJSON()
  return new Set(all.flatMap(({ name }) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]))
}

describe('dashboard and alert rules', () => {
  it.each(expressions)('%s asks for metrics that there are', async (_, expression) => {
    const named = expression.match(/\bkeepseal_[a-z_]+/g) ?? []
    const known = await existing()
    expect(named.filter((name) => !known.has(name))).toEqual([])
    expect(named.length > 0 || /\bup\{/.test(expression)).toBe(true)
  })

  it('have each rule say how bad it is and what to do', () => {
    expect(rules.length).toBeGreaterThan(5)
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { labels, annotations } of rules) {
      expect(['warning', 'critical']).toContain(labels.severity)
      expect(annotations.description.length).toBeGreaterThan(20)
    }
  })
})
