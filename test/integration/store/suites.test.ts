import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { useBackend } from '../../collector/store/support.ts'
import { postgresBackend, usePostgres } from '../../support/postgres-backend.ts'

// The suites that were written for a store, once more on PostgreSQL: what SQLite promises, the other one keeps.
useBackend(postgresBackend(usePostgres()))

const TESTS = new URL('../../collector/', import.meta.url).pathname
const suites = [
  ...readdirSync(`${TESTS}store`).map((name) => `store/${name}`),
  ...[
    'exactly-once.slow',
    'steady.slow',
    'remembered-devices',
    'receipts',
    'refusals',
    'ingest',
    'history',
    'released-devices',
    'finding-life',
    'suppressed-findings',
    'result-courier',
    'challenge-courier',
  ].map((name) => `ingest/${name}.test.ts`),
  ...readdirSync(`${TESTS}tracking`).map((name) => `tracking/${name}`),
  ...readdirSync(`${TESTS}tracking/practices`).map((name) => `tracking/practices/${name}`),
  ...readdirSync(`${TESTS}liveness`).map((name) => `liveness/${name}`),
  ...readdirSync(`${TESTS}advisories`).map((name) => `advisories/${name}`),
  'tracking/reminders/clerk.test.ts',
  'notify/dispatcher.test.ts',
  'report/report.test.ts',
  ...readdirSync(`${TESTS}decisions`).map((name) => `decisions/${name}`),
  'releases/coverage-gate.test.ts',
].filter((name) => name.endsWith('.test.ts') && /^describeStore\(/m.test(readFileSync(TESTS + name, 'utf8')))

for (const name of suites) await import(TESTS + name)

it('runs all suites of the repositories', () => {
  expect(suites.length).toBeGreaterThan(8)
})
