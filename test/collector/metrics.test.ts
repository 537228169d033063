import { expect, it } from 'vitest'
import { createMetrics } from '../../collector/metrics.ts'

it('has no figure of the quarantine where the database does not answer, instead of none in it', async () => {
  const metrics = createMetrics()
  let count = Promise.resolve(3)
  metrics.watchQuarantine(() => count)
  expect(await metrics.registry.metrics()).toContain('keepseal_quarantine_messages 3\n')
  count = Promise.reject(new Error('gone'))
  expect(await metrics.registry.metrics()).toContain('keepseal_quarantine_messages Nan\n')
})
